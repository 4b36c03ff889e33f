// Draws docs/images/roofline.svg from the numbers of bench/results.json: node bench/roofline.mjs
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './lib/context.mjs'
import { roofline } from './lib/roofline.mjs'

/** @param {object} record - as bench/results.json has it @returns {string | undefined} undefined where it has no profile */
export function rooflineOf({ results, machine }) {
  const rows = results.find(({ part }) => part === 'profile')?.rows ?? []
  const profiles = rows.flatMap(({ data }) => data?.operations ? [data] : [])
  if (profiles.length === 0) return undefined
  return roofline(profiles, `${machine.cpu}, ${rows[0].on}`)
}

/** Draws the plot of a record. */
export function drawRoofline(record) {
  const svg = rooflineOf(record), file = join(root, 'docs/images/roofline.svg')
  if (svg === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, svg)
}

if (process.argv[1] === import.meta.filename) drawRoofline(JSON.parse(readFileSync(join(root, 'bench/results.json'), 'utf8')))
