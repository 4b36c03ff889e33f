// `npm run matrix`: the whole self-test in every runtime that is here, in every build, with threads, and with the compilers
// of each engine forced apart; ends with a line `N of N runtimes equal HASH` and fails where one differs.
//
//   --only WORDS     rows whose name contains these words, e.g. --only 'node20, scalar' --only bun
//   --quick          the rows that tests run
//   --require WORDS  runtimes that must be here: otherwise one that is missing is reported and skipped
//   --write          first takes this Node's hashes as the committed ones: for a new version of the numerics
//   --docs           writes the table to docs/same-bits.md
//   --json           the outcomes as JSON instead of the table
//   --jobs N         rows at a time, default 2
//   --wasm FOLDER    other builds of the module, to see whether they have the same bits
//   --help           these lines
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildJs, buildWasm, fresh } from './build.mjs'
import { readGolden, writeGolden } from './matrix/golden.mjs'
import { rows, runRow } from './matrix/rows.mjs'
import { cells, HEADER, judge, lastLine, line, markdown } from './matrix/table.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/same-bits.md')

/** @typedef {import('./matrix/rows.mjs').Outcome} Outcome */

/**
 * Calls `use` with a folder that holds the files of the simulated training: threads read them by themselves.
 *
 * @template T @param {(folder: string) => Promise<T>} use @returns {Promise<T>}
 */
export async function withModel(use) {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-matrix-'))
  try {
    const { simulationFiles } = await import(new URL('../dist/selftest/index.js', import.meta.url).href)
    for (const [name, content] of Object.entries(simulationFiles())) writeFileSync(join(folder, name), content)
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Runs rows, some at a time, in the order given; `onOutcome` hears of each as it ends.
 *
 * @param {import('./matrix/rows.mjs').Row[]} list @param {Parameters<typeof import('./matrix/rows.mjs').runRow>[1]} options
 * @param {{ jobs?: number, onOutcome?: (outcome: Outcome) => void }} [how]
 * @returns {Promise<Outcome[]>}
 */
export async function runRows(list, options, { jobs = 2, onOutcome = () => {} } = {}) {
  const outcomes = []
  const queue = list.map((row, i) => ({ row, i }))
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      outcomes[next.i] = await runRow(next.row, options)
      onOutcome(outcomes[next.i])
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return outcomes
}

function usage(message) {
  console.error(`matrix: ${message}; usage: npm run matrix -- [--only WORD ...] [--quick] [--require NAMES|all] [--write] [--docs] [--json] [--jobs N] [--wasm FOLDER]`)
  process.exit(2)
}

function options() {
  try {
    return parseArgs({ options: {
      only: { type: 'string', multiple: true }, quick: { type: 'boolean' }, require: { type: 'string' }, write: { type: 'boolean' }, docs: { type: 'boolean' },
      json: { type: 'boolean' }, jobs: { type: 'string', default: '2' }, wasm: { type: 'string' }, help: { type: 'boolean' },
    } }).values
  } catch (error) {
    return usage(error.message)
  }
}

async function main() {
  const values = options()
  if (values.help) {
    const lines = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')
    console.log(lines.slice(0, lines.findIndex((line) => !line.startsWith('//'))).map((line) => line.replace(/^\/\/ ?/, '')).join('\n'))
    return
  }
  const words = (text) => text?.split(',').map((word) => word.trim()).filter((word) => word !== '')
  const { only } = values, required = words(values.require) ?? []
  const names = [...new Set(rows.map((row) => row.runtime))], unknown = required.filter((name) => name !== 'all' && !names.includes(name))
  if (unknown.length > 0) usage(`"--require" expected names of runtimes (${names.join(', ')}) or all, got ${unknown.join(', ')}`)
  if (!/^[1-9]\d*$/.test(values.jobs)) usage(`"--jobs" expected a number of rows at a time, got ${values.jobs}`)
  const list = rows.filter((row) => (!values.quick || row.quick) && (!only || only.some((word) => row.name.includes(word))))
  if (list.length === 0) usage(`"--only" expected a word of a row's name (${rows.map((row) => row.name).join('; ')}), got ${only}`)
  if (!fresh()) {
    buildWasm()
    buildJs()
  }
  const outcomes = await withModel(async (model) => {
    if (values.write) {
      const mine = await runRow({ ...rows[0], runtime: `node${process.versions.node.split('.')[0]}` }, { model })
      if (mine.result === undefined) throw new Error(mine.error ?? mine.missing)
      writeGolden(mine.result)
      buildJs()
    }
    const golden = readGolden()
    if (!values.json) console.log(line(HEADER))
    return runRows(list, { model, wasm: values.wasm }, { jobs: Number(values.jobs), onOutcome(outcome) {
      if (values.json) return
      console.log(line(cells(outcome, golden)))
      if (outcome.error) console.log(outcome.error.split('\n').slice(1).map((text) => `    ${text}`).join('\n'))
    } })
  })
  const golden = readGolden()
  if (values.json) console.log(JSON.stringify(outcomes, undefined, 2))
  const last = lastLine(outcomes, golden)
  const absent = [...new Set(outcomes.filter((outcome) => judge(outcome, golden).skipped).map(({ row }) => row.runtime))]
  const lacking = absent.filter((name) => required.includes(name) || required.includes('all'))
  if (values.docs) writePage(outcomes, golden)
  if (absent.length > 0) console.log(`skipped, for they are not here: ${absent.join(', ')}`)
  if (lacking.length > 0) console.log(`required, but not here: ${lacking.join(', ')}`)
  console.log(last.text)
  if (!last.ok || lacking.length > 0) process.exitCode = 1
}

/** Puts the table between the marks of the page. */
function writePage(outcomes, golden) {
  const text = readFileSync(page, 'utf8')
  const [open, close] = ['<!-- matrix -->', '<!-- /matrix -->']
  const from = text.indexOf(open) + open.length, to = text.indexOf(close)
  if (to < from) throw new Error(`${page} expected the marks ${open} and ${close}, got none`)
  writeFileSync(page, `${text.slice(0, from)}\n${markdown(outcomes, golden)}\n${text.slice(to)}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
