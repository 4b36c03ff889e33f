// The rows of the matrix: runtimes, builds, threads, and the compilers of each engine forced apart.
import { runtime } from '../runtimes/index.mjs'

/**
 * @typedef {object} Row
 * @property {string} name - unique, e.g. `node24, baseline compiler`
 * @property {string} runtime - of scripts/runtimes
 * @property {string} engine
 * @property {string} entry - program
 * @property {{ variant?: 'simd' | 'scalar', threads?: number }} input
 * @property {Record<string, string>} [scripts]
 * @property {string[]} [flags]
 * @property {Record<string, string>} [env]
 * @property {Record<string, unknown>} [preferences] - of Firefox
 * @property {boolean} quick - among those that tests run
 */

const ENGINES = {
  node: 'V8', deno: 'V8', workerd: 'V8', chromium: 'V8', bun: 'JavaScriptCore', webkit: 'JavaScriptCore', jsc: 'JavaScriptCore',
  cog: 'JavaScriptCore', firefox: 'SpiderMonkey',
}

function row(name, label, { input = {}, entry = 'portable', quick = false, ...more } = {}) {
  return {
    name: label ? `${name}, ${label}` : name, runtime: name, engine: ENGINES[name.replace(/\d+$|-arm64$/, '')],
    entry: `scripts/matrix/${entry}.mjs`, input, quick, ...more,
  }
}

const threads = (name, entry, counts, quick) => counts.map((count) => row(name, count === 1 ? 'one thread' : `${count} threads`, {
  input: { threads: count }, entry, quick, scripts: { [`${entry}-thread.js`]: `src/runtime/${entry}-thread.ts` },
}))

// V8 compiles with Liftoff first and with TurboFan what runs often
const BASELINE = ['--liftoff', '--no-wasm-tier-up'], OPTIMISED = ['--no-liftoff']
const v8 = (name, flags, quick) => [
  row(name, 'baseline compiler', { flags: flags(BASELINE), quick }), row(name, 'optimising compiler', { flags: flags(OPTIMISED), quick }),
]

// JavaScriptCore interprets first, then compiles with BBQ, then with OMG
const TIERS = {
  'interpreter': ['useBBQJIT=false', 'useOMGJIT=false'], 'baseline compiler': ['useWasmIPInt=false', 'useOMGJIT=false'],
  'optimising compiler': ['useWasmIPInt=false', 'thresholdForBBQOptimizeAfterWarmUp=0', 'thresholdForOMGOptimizeAfterWarmUp=0', 'thresholdForOMGOptimizeSoon=0'],
}
const jscTiers = (name, how, quick) => Object.entries(TIERS).map(([label, options]) => row(name, label, { ...how(options), quick }))
const asEnvironment = (options) => ({ env: Object.fromEntries(options.map((option) => `BUN_JSC_${option}`.split('='))) })

const BASELINE_JIT = 'javascript.options.wasm_baselinejit', OPTIMISING_JIT = 'javascript.options.wasm_optimizingjit'

/** @type {readonly Row[]} */
export const rows = [
  ...['node20', 'node22', 'node24', 'node26', 'deno', 'bun', 'workerd'].map((name) => row(name, '', { quick: true })),
  ...['chromium', 'firefox', 'webkit', 'jsc'].map((name) => row(name, '', { quick: true })),
  row('cog', ''),
  row('node20', 'scalar build', { input: { variant: 'scalar' }, quick: true }),
  ...['node24', 'bun', 'firefox'].map((name) => row(name, 'scalar build', { input: { variant: 'scalar' } })),
  ...threads('node20', 'node', [1, 2, 3, 8], true), ...threads('node24', 'node', [2, 8], false),
  ...threads('deno', 'deno', [2, 8], false), ...threads('bun', 'bun', [2, 8], false),
  ...['chromium', 'firefox', 'webkit'].flatMap((name) => threads(name, 'browser', [3], false)),
  ...v8('node20', (flags) => flags, true), ...v8('node24', (flags) => flags, false), ...v8('node26', (flags) => flags, false),
  ...v8('deno', (flags) => [`--v8-flags=${flags.join(',')}`], false), ...v8('chromium', (flags) => [`--js-flags=${flags.join(' ')}`], false),
  ...jscTiers('jsc', (options) => ({ flags: options.map((option) => `--${option}`) }), false),
  ...jscTiers('bun', asEnvironment, false),
  row('firefox', 'baseline compiler', { preferences: { [BASELINE_JIT]: true, [OPTIMISING_JIT]: false } }),
  row('firefox', 'optimising compiler', { preferences: { [BASELINE_JIT]: false, [OPTIMISING_JIT]: true } }),
  row('node-arm64', ''), row('node-arm64', 'scalar build', { input: { variant: 'scalar' } }), row('bun-arm64', ''),
]

/**
 * @typedef {object} Outcome
 * @property {Row} row
 * @property {string} [version]
 * @property {string} [missing] - how to get it
 * @property {string} [error] - it could not run
 * @property {{ numerics: number, level: string, hash: string, variant: string, parts: { name: string, hash: string }[] }} [result]
 * @property {number} [seconds] - with start and end of the runtime
 */

/**
 * Runs one row.
 *
 * @param {Row} row
 * @param {{ level?: 'quick' | 'full', wasm?: string, model: string, timeout?: number }} options - model: folder of the model's files
 * @returns {Promise<Outcome>}
 */
export async function runRow(row, { level = 'full', wasm, model, timeout = 240 }) {
  const { run, find } = runtime(row.runtime)
  const { version, missing } = find()
  if (missing !== undefined) return { row, missing }
  const program = { entry: row.entry, input: { level, ...row.input }, folders: { model }, scripts: row.scripts ?? {}, ...wasm && { wasm } }
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  try {
    const result = await run(program, { timeout, flags: row.flags ?? [], env: row.env ?? {}, preferences: row.preferences ?? {} })
    return { row, version, result, seconds: seconds() }
  } catch (error) {
    return { row, version, error: error.message, seconds: seconds() }
  }
}
