/** One run of a kernel on the SIMD and on the scalar build: same bits, nothing written around an output. */
import * as assert from 'uvu/assert'
import { bench, variants, type Bench } from './kernels.ts'

/** What a run uses to place arrays and call kernels. */
export interface Run {
  readonly k: Bench['k']
  readonly put: Bench['put']
  /** Reserves bytes of scratch; behind them, as behind outputs, nothing may be written. */
  scratch(bytes: number): number
  /** Reserves n f32 of output by name. */
  out(name: string, n: number): number
  /** Copies an array in that the kernel changes, as an output by name. */
  change(name: string, data: Float32Array): number
}

/** The outputs by name. */
export type Outputs = Record<string, Float32Array>

const GUARD = 8

/** Returns a function that runs `body` on every build, compares the outputs bit by bit, and returns them. */
export async function both(): Promise<(title: string, body: (run: Run) => void) => Outputs> {
  const benches = await Promise.all(variants.map((variant) => bench(variant, 64)))
  return (title, body) => {
    const [first, ...others] = benches.map((each) => {
      each.reset()
      const ptrs: Record<string, [number, number]> = {}
      body({
        k: each.k,
        put: each.put,
        scratch(bytes) {
          const ptr = each.space(bytes)
          ptrs[`scratch ${Object.keys(ptrs).length}`] = [each.out(2 * GUARD) + 4 * GUARD, 0]
          return ptr
        },
        out(name, n) {
          const ptr = each.out(n + 2 * GUARD) + 4 * GUARD
          ptrs[name] = [ptr, n]
          return ptr
        },
        change(name, data) {
          const ptr = each.out(data.length + 2 * GUARD) + 4 * GUARD
          each.write(ptr, data)
          ptrs[name] = [ptr, data.length]
          return ptr
        },
      })
      const outputs: Outputs = {}
      for (const [name, [ptr, n]] of Object.entries(ptrs)) {
        const all = each.f32(ptr - 4 * GUARD, n + 2 * GUARD)
        const over = all.some((v, i) => v !== 12345 && (i < GUARD || i >= GUARD + n))
        assert.not(over, `${title}, ${each.variant}: ${name} is written outside its bounds`)
        outputs[name] = all.slice(GUARD, GUARD + n)
      }
      return outputs
    })
    for (const other of others) {
      for (const name of Object.keys(first)) {
        const a = new Int32Array(first[name].buffer), b = new Int32Array(other[name].buffer)
        for (let i = 0; i < a.length; i++) {
          if (a[i] !== b[i] && !(Number.isNaN(first[name][i]) && Number.isNaN(other[name][i]))) {
            assert.unreachable(`${title}: ${name}[${i}] in two builds: ${first[name][i]}, ${other[name][i]}`)
          }
        }
      }
    }
    return first
  }
}
