/**
 * What is computed in JavaScript: public random choices, the angles of a timing signal, narrow floats, and the privacy
 * accountants.
 * @module
 */
import { fromF32, toF32 } from '../checkpoint/dtype.ts'
import { cos, sin } from '../num/trigonometry.ts'
import { calibrateNoise, epsilonOf } from '../privacy/accountant/index.ts'
import { random } from '../random.ts'
import type { Section } from './section.ts'
import { anyBits, SPECIAL } from './values.ts'

const choices: Section = { name: 'javascript/random', level: 'quick', run(_, sink) {
  for (let label = 0; label < 20; label++) {
    const source = random('selftest', label, '\u00e9\u6f22')
    sink.i32(Int32Array.from({ length: 50 }, () => source.u32() | 0)).f64(...Array.from({ length: 50 }, () => source.uniform()))
      .i32(Int32Array.from({ length: 50 }, () => source.below(1000003))).i32(Int32Array.from(source.shuffle(Array.from({ length: 37 }, (_, i) => i))))
  }
} }

const angles: Section = { name: 'javascript/trigonometry', level: 'quick', run(_, sink) {
  const x = Array.from({ length: 2000 }, (_, i) => Math.fround(i * i / 97))
  sink.f64(...x.map(sin), ...x.map(cos))
} }

const narrow: Section = { name: 'javascript/narrow floats', level: 'quick', run(_, sink) {
  const values = Float32Array.from([...SPECIAL, ...anyBits('narrow', 2000)].filter(x => x === x))
  for (const dtype of ['F16', 'BF16'] as const) {
    const bytes = fromF32(values, dtype)
    sink.u8(bytes).f32(toF32(bytes, dtype))
  }
} }

const accountants: Section = { name: 'javascript/accountants', level: 'full', run(_, sink) {
  for (const [rounds, samplingRate, noiseMultiplier] of [[1, 1, 2], [100, 0.01, 0.8]]) {
    sink.f64(epsilonOf({ unit: 'client', adjacency: 'add-remove', delta: 1e-6, rounds, samplingRate, noiseMultiplier }))
  }
  sink.f64(epsilonOf({ unit: 'client', adjacency: 'substitute', delta: 1e-6, rounds: 5, samplingRate: 0.1, noiseMultiplier: 1.7 }))
  sink.f64(calibrateNoise({ unit: 'client', adjacency: 'add-remove', delta: 1e-6, rounds: 20, samplingRate: 1, epsilon: 2, tolerance: 1e-3 }))
} }

export const portable: readonly Section[] = [choices, angles, narrow, accountants]
