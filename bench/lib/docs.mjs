// Puts a run of the bench into docs/performance.md: between two markers stands what was measured, and nothing else.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './context.mjs'
import { drawRoofline } from './roofline.mjs'
import { goalOf, markdownTable, measured, verdict } from './rows.mjs'

const BEGIN = '<!-- bench: begin -->', END = '<!-- bench: end -->'

/** A page with the text between its markers replaced. */
export function replaceSection(page, text) {
  const from = page.indexOf(BEGIN), to = page.indexOf(END)
  if (from < 0 || to < from) throw new Error(`docs/performance.md expected the markers ${BEGIN} and ${END}, got none`)
  return `${page.slice(0, from + BEGIN.length)}\n${text}\n${page.slice(to)}`
}

/** The measurements as Markdown. */
export function section({ machine, versions, seconds, results }) {
  const { cpu, cores, flags, platform, load, load_after: after } = machine
  const judged = results.flatMap(({ rows }) => rows).filter((row) => ['yes', 'no'].includes(verdict(row)))
  const short = judged.filter((row) => verdict(row) === 'no')
  return [
    `${cpu}, ${cores} cores, ${platform} (${flags.join(', ')}); Node ${versions.node.join(' and ')}; ` +
      `${versions.torch.length > 0 ? `PyTorch ${versions.torch.join(' and ')}` : 'no PyTorch'}. ` +
      `Load before ${load.toFixed(1)}, after ${after.toFixed(1)}; the run took ${(seconds / 60).toFixed(0)} minutes.`,
    '',
    `Of ${judged.length} goals, ${judged.length - short.length} are met. ${short.length === 0 ? '' : 'These are not:'}`,
    '',
    ...short.map((row) => `- ${row.what}: ${measured(row)} (goal ${goalOf(row)})`),
    '',
    ...results.map(({ title, rows }) => markdownTable(title, rows)),
  ].join('\n').trimEnd()
}

/** Without what only the console needs: lists of single times. */
function slim(record) {
  return JSON.parse(JSON.stringify(record, (key, value) => ['times_ms', 'cpu_ms', 'gradients', 'contributions'].includes(key) ? undefined
    : typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value))
}

/** Writes bench/results.json, docs/performance.md and the plot; nothing where a result was wrong. */
export function writeDocs(record) {
  const wrong = record.results.flatMap(({ rows }) => rows).find((row) => row.failed !== undefined)
  if (wrong) throw new Error(`docs expected results that are right, got ${wrong.what}: ${wrong.failed}; nothing was written`)
  const page = join(root, 'docs/performance.md')
  const text = replaceSection(readFileSync(page, 'utf8'), section(record))
  writeFileSync(join(root, 'bench/results.json'), `${JSON.stringify(slim(record), null, 1)}\n`)
  writeFileSync(page, text)
  drawRoofline(record)
}
