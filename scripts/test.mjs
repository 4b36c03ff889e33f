// Runs the test files whose path contains one of the words given (all without words): each is bundled by esbuild
// into build/test and runs in a process of its own, two at a time. A file that registers no test is a failure.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildWasm } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Paths of all test files, relative to the project. */
export function testFiles() {
  return readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

/** Where the bundle of a test file goes: one flat folder, so that `../wasm` is the same for all. */
const bundleOf = (file) => join(root, 'build/test', file.replace(/^test\//, '').replaceAll('/', '.').replace(/\.ts$/, '.mjs'))

async function bundle(files) {
  mkdirSync(join(root, 'build/test'), { recursive: true })
  await build({
    entryPoints: files.map((file) => ({ in: join(root, file), out: bundleOf(file).slice(0, -4) })),
    outdir: '/', outExtension: { '.js': '.mjs' }, bundle: true, format: 'esm', platform: 'node', target: 'node20',
    packages: 'external', sourcemap: 'inline', logLevel: 'warning', absWorkingDir: root,
  })
}

function runFile(file, node) {
  return new Promise((resolve) => {
    const started = performance.now()
    const child = spawn(node, ['--enable-source-maps', bundleOf(file)], { cwd: root, env: { ...process.env, FORCE_COLOR: '0' } })
    let output = ''
    child.stdout.on('data', (data) => { output += data })
    child.stderr.on('data', (data) => { output += data })
    child.on('close', (code) => {
      const count = (word) => Number(new RegExp(`${word}:\\s+(\\d+)`).exec(output)?.[1] ?? 0)
      const total = count('Total'), passed = count('Passed'), skipped = count('Skipped')
      const seconds = (performance.now() - started) / 1000
      const failed = code !== 0 ? Math.max(1, total - passed - skipped) : total - passed - skipped
      resolve({ file, code, total, passed, skipped, failed: total === 0 ? 1 : failed, seconds, output })
    })
  })
}

/** Runs test files; prints a line each, and the output of those that fail. */
export async function runTests(files, { jobs = Math.min(2, availableParallelism()), node = process.execPath } = {}) {
  await bundle(files)
  const queue = [...files], results = []
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const result = await runFile(file, node)
      results.push(result)
      const state = result.failed ? 'FAIL' : 'ok'
      console.log(`${state.padEnd(4)} ${file}  ${result.passed}/${result.total}` +
        `${result.skipped ? ` (${result.skipped} skipped)` : ''}  ${result.seconds.toFixed(1)} s`)
      if (result.failed) console.log(result.total === 0 && result.code === 0 ? 'registered no test' : result.output)
      for (const line of result.output.match(/^(SKIPPED|NOTE): .*$/gm) ?? []) console.log(`     ${line}`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return results
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2)
  if (!existsSync(join(root, 'dist/wasm/sotto.scalar.wasm'))) buildWasm()
  const files = testFiles().filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  const results = await runTests(files)
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
  process.exitCode = sum('failed') > 0 || files.length === 0 ? 1 : 0
}
