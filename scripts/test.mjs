// Runs the test files whose path contains one of the words given (all without words): each is bundled by esbuild
// into build/test and runs in a process of its own, two at a time. A file that registers no test is a failure.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { $, glob } from 'zx'
import { buildWasm } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A test file that takes longer is stopped and fails. */
const LIMIT = '1200s'

/** Paths of all test files, relative to the project. */
export async function testFiles() {
  return (await glob('test/**/*.test.ts', { cwd: root, ignore: ['test/fixtures/**', '**/node_modules/**'] })).sort()
}

/** True where a test file says `// slow` in its first line: the quick run leaves it out. */
export function isSlow(file) {
  return /^\/\/ slow\b/.test(readFileSync(join(root, file), 'utf8'))
}

/** Where the bundle of a test file goes: one flat folder, so that `../wasm` is the same for all. */
const bundleOf = (file) => join(root, 'build/test', file.replace(/^test\//, '').replaceAll('/', '.').replace(/\.ts$/, '.mjs'))

function bundle(files) {
  mkdirSync(join(root, 'build/test'), { recursive: true })
  return build({
    entryPoints: files.map((file) => ({ in: join(root, file), out: bundleOf(file).slice(0, -4) })),
    outdir: '/', outExtension: { '.js': '.mjs' }, bundle: true, format: 'esm', platform: 'node', target: 'node20',
    packages: 'external', sourcemap: 'inline', logLevel: 'silent', absWorkingDir: root,
  })
}

/** Bundles the files; where that fails, each alone, so that one broken file fails alone. Returns the errors by file. */
async function bundleAll(files) {
  const errors = new Map()
  try {
    await bundle(files)
  } catch {
    for (const file of files) await bundle([file]).catch((error) => { errors.set(file, error.message) })
  }
  return errors
}

async function runFile(file, node) {
  const started = performance.now()
  const run = await $({
    cwd: root, nothrow: true, quiet: true, timeout: LIMIT, timeoutSignal: 'SIGKILL', env: { ...process.env, FORCE_COLOR: '0' },
  })`${node} --enable-source-maps ${bundleOf(file)}`
  const output = run.stdout + run.stderr + (run.signal ? `\nstopped by ${run.signal} (a test file may take ${LIMIT})` : '')
  const count = (word) => Number([...output.matchAll(new RegExp(`^ *${word}:\\s+(\\d+)`, 'gm'))].at(-1)?.[1] ?? 0)
  const total = count('Total'), passed = count('Passed'), skipped = count('Skipped')
  const failed = Math.max(total - passed - skipped, run.exitCode !== 0 || total === 0 ? 1 : 0)
  return { file, code: run.exitCode, total, passed, skipped, failed, seconds: (performance.now() - started) / 1000, output }
}

/** Runs test files; prints a line each, and the output of those that fail. */
export async function runTests(files, { jobs = Math.min(2, availableParallelism()), node = process.execPath } = {}) {
  const errors = await bundleAll(files)
  // the slow ones first, so that the last to run is a short one
  const queue = [...files].sort((a, b) => Number(isSlow(b)) - Number(isSlow(a)))
  const results = []
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = errors.has(file)
        ? { file, code: 1, total: 0, passed: 0, skipped: 0, failed: 1, seconds: 0, output: errors.get(file) }
        : await runFile(file, node)
      results.push(result)
      console.log(`${result.failed ? 'FAIL' : 'ok  '} ${row(result)}`)
      if (result.failed) console.log(result.total === 0 && result.code === 0 ? 'registered no test' : result.output)
      for (const line of result.output.match(/^(SKIPPED|NOTE): .*$/gm) ?? []) console.log(`       ${line}`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results.sort((a, b) => a.file < b.file ? -1 : 1)
}

/** One line about a file. */
export function row({ file, passed, total, skipped, seconds }) {
  return `${file.padEnd(48)} ${`${passed}/${total}`.padStart(9)} ${`${seconds.toFixed(1)} s`.padStart(8)}${skipped ? `  ${skipped} skipped` : ''}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2)
  if (!existsSync(join(root, 'dist/wasm/sotto.scalar.wasm'))) buildWasm()
  const files = (await testFiles()).filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  if (files.length === 0) console.error(`test: expected a word of a test file's path, got ${words.join(' ')}`)
  const results = await runTests(files)
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
  process.exitCode = sum('failed') > 0 || files.length === 0 ? 1 : 0
}
