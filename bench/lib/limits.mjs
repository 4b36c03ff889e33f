// Builds and runs limits.ts: what the machine can do at most, 128 bits at a time, with nothing fused.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { timed } from './timing.mjs'

const source = fileURLToPath(new URL('../limits.ts', import.meta.url))
const target = fileURLToPath(new URL('../out/limits.wasm', import.meta.url))

/** Compiles limits.ts where it is newer than what was compiled. */
export function buildLimits(root) {
  if (existsSync(target) && statSync(target).mtimeMs > statSync(source).mtimeMs) return
  mkdirSync(dirname(target), { recursive: true })
  execFileSync(process.execPath, [join(root, 'node_modules/assemblyscript/bin/asc.js'), source, '--outFile', target,
    '--runtime', 'stub', '--use', 'abort=', '--enable', 'simd', '-O3', '--noAssert', '--initialMemory', '1', '--memoryBase', '8192'],
  // not from the root, whose asconfig.json is the package's
  { cwd: dirname(source), stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Operations of one round: 4 multiplications and 4 additions, or 8 and 8, for each sum. */
const FLOAT = 8, INTEGER = 16

const LOOPS = [
  ...[8, 10, 12].map((count) => ({ name: `floats_${count}`, kind: 'f32', count, work: FLOAT, expected: (times) => times * 0.375 * count })),
  ...[8, 10, 12].map((count) => ({ name: `chained_${count}`, kind: 'f32', count, work: FLOAT, expected: () => 2 * count })),
  ...[8, 10, 12].map((count) => ({ name: `integers_${count}`, kind: 'int', count, work: INTEGER, expected: (times) => (times * 9 * count) | 0 })),
]

/**
 * The loops of limits.ts, checked, timed, and the best of each kind.
 *
 * @returns {Promise<{ f32: () => number, int: () => number, loops: { name: string, kind: string, rate: number }[] }>}
 *   `f32` and `int` measure again for about `ms` milliseconds, in 10^9 operations a second
 */
export async function openLimits({ ms = 4, tries = 15 } = {}) {
  const { instance } = await WebAssembly.instantiate(readFileSync(target), {})
  instance.exports.fill()
  const loops = LOOPS.map((loop) => {
    const run = instance.exports[loop.name]
    for (const times of [1000, 100_000]) {
      const got = run(times)
      if (got !== loop.expected(times)) throw new Error(`${loop.name} expected ${loop.expected(times)}, got ${got}`)
    }
    for (let i = 0; i < 20; i++) run(20_000)
    const quick = Math.min(...Array.from({ length: 5 }, () => timed(() => run(100_000))))
    const times = Math.max(1000, Math.round(100_000 * ms / quick))
    const measure = () => loop.work * loop.count * times / timed(() => run(times)) / 1e6
    return { ...loop, measure, rate: 0 }
  })
  for (let i = 0; i < tries; i++) for (const loop of loops) loop.rate = Math.max(loop.rate, loop.measure())
  const best = (kind) => loops.filter((loop) => loop.kind === kind).reduce((a, b) => b.rate > a.rate ? b : a)
  return {
    f32: best('f32').measure, int: best('int').measure,
    loops: loops.map(({ name, kind, rate }) => ({ name, kind, rate })),
  }
}
