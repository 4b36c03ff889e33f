/** What can be said of noise whose key nobody has: its size, with a bound on false alarms. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noiseProblem } from '../../src/replay/noise-size.ts'
import { within } from '../../src/privacy/mechanism/scratch.ts'
import { SeededNoise } from '../../src/privacy/mechanism/seeded-noise.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'

const engine = await createEngine(node())
let round = 0
const source = new SeededNoise(1)

function noise(length: number, sigma: number): Int32Array {
  round++
  return within(engine, 4 * length + 64, frame => {
    const at = frame.alloc(length * 4)
    frame.kernels.discrete_gaussian_add(at, length, sigma, source.open(frame, { purpose: 'noise', round }))
    return frame.i32(at, length)
  })
}

test('honest noise of many lengths passes; 3,000 draws, each refused with a chance below 2^-56', () => {
  for (const length of [1, 2, 10, 100, 1000]) for (let i = 0; i < 600; i++) assert.is(noiseProblem(noise(length, 300), 300), undefined)
})

test('noise of half or twice the scale is refused from 1,000 numbers on, 20 % from 10,000 on', () => {
  for (const [length, factor] of [[1000, 0.5], [1000, 2], [10_000, 0.8], [10_000, 1.2]]) {
    assert.match(noiseProblem(noise(length, 1000 * factor), 1000)!.message, /expected a standard deviation near it, got/, `${length}, ${factor}`)
  }
})

test('one number of eleven times the scale is refused, and named', () => {
  const values = noise(100, 300)
  values[42] = 3300
  assert.is(noiseProblem(values, 300)!.index, 42)
})

test.run()
