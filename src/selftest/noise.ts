/**
 * The privacy engine: keystream, discrete Gaussian, rounding, rotation, integers, correlated noise, and a round from
 * updates to release.
 * @module
 */
import { Aggregate, chooseLattice, CorrelatedNoise, encode, release } from '../privacy/mechanism/index.ts'
import type { CorrelatedStrategy } from '../privacy/mechanism/index.ts'
import { noiseSpread } from '../privacy/mechanism/index.ts'
import { SeededNoise } from '../privacy/mechanism/seeded-noise.ts'
import type { Desk } from './desk.ts'
import type { Section } from './section.ts'
import { integers, SPECIAL, uniform } from './values.ts'

const seed = (label: string): Uint8Array => Uint8Array.from(integers(label, 32, 256))

/** A stream of the keystream's bits. */
function stream(desk: Desk, label: string): number {
  const ptr = desk.space(desk.k['chacha20_stream_bytes']())
  desk.k['chacha20_start'](ptr, desk.put(seed(label)), desk.put(seed(`${label} label`).subarray(0, 16)))
  return ptr
}

const chacha: Section = { name: 'privacy/chacha20', level: 'quick', run({ desk }, sink) {
  for (let blocks = 1; blocks <= 9; blocks++) {
    desk.clear()
    const state = integers(`state ${blocks}`, 16, 2 ** 32)
    // the counter passes 2^32 on its way
    state[12] = -3
    const ptr = desk.put(state), out = desk.space(64 * blocks)
    desk.k['chacha20_blocks'](out, ptr, blocks)
    sink.u8(desk.u8(out, 64 * blocks)).i32(desk.i32(ptr, 16))
  }
  for (const bytes of [1, 63, 64, 65, 255, 1024, 1025, 5000]) {
    desk.clear()
    const from = stream(desk, `fill ${bytes}`), out = desk.space(bytes + 64), hashed = desk.space(32)
    desk.k['chacha20_fill'](out, from, bytes)
    desk.k['hchacha20'](hashed, desk.put(seed('h')), desk.put(seed('in').subarray(0, 16)), desk.space(128))
    sink.u8(desk.u8(out, bytes)).u8(desk.u8(hashed, 32))
  }
} }

const philox: Section = { name: 'kernel/philox', level: 'full', run({ desk }, sink) {
  for (const [c0, c1, c2, c3, k0, k1] of [[0, 0, 0, 0, 0, 0], [-1, -1, -1, -1, -1, -1], [0x243f6a88, -2052912941, 0x13198a2e, 0x03707344, -1542899678, 0x299f31d0]]) {
    desk.clear()
    const out = desk.space(64)
    desk.k['philox_block'](out, c0, c1, c2, c3, k0, k1)
    sink.i32(desk.i32(out, 16))
  }
} }

const gaussian: Section = { name: 'privacy/discrete gaussian', level: 'quick', run({ desk }, sink) {
  for (const sigma of [1, 2, 3, 7, 100, 12345, 2 ** 20 + 1, 2 ** 24]) {
    desk.clear()
    const out = desk.space(4 * 500)
    desk.k['discrete_gaussian_fill'](out, 500, sigma, stream(desk, `sigma ${sigma}`))
    sink.i32(desk.i32(out, 500))
  }
} }

const rounding: Section = { name: 'privacy/rounding', level: 'quick', run({ desk }, sink) {
  const values = [SPECIAL.filter(x => x === x), uniform('cells', 3001, 20), ...Array.from({ length: 18 }, (_, n) => uniform(`cells ${n}`, n, 1e6))]
  for (const x of values) {
    desk.clear()
    const n = x.length, at = desk.put(x), out = desk.space(4 * n + 16), real = desk.space(4 * n)
    desk.k['round_nearest'](out, at, n)
    sink.i32(desk.i32(out, n + 4))
    desk.k['round_stochastic'](out, at, n, stream(desk, `round ${n}`))
    sink.i32(desk.i32(out, n + 4))
    desk.k['lattice_to_real'](real, out, 1e-3 / 7, n)
    sink.f32(desk.f32(real, n))
    desk.k['slice_scale'](real, at, 1 / 3, n)
    sink.f32(desk.f32(real, n)).f64(desk.k['slice_norm_squared'](at, n))
  }
} }

const rotation: Section = { name: 'privacy/rotation', level: 'full', run({ desk }, sink) {
  for (let n = 1; n <= 4096; n *= 2) {
    desk.clear()
    const x = desk.put(uniform(`turn ${n}`, n))
    desk.k['random_rotate'](x, n, stream(desk, 'turn'))
    sink.f32(desk.f32(x, n))
    desk.k['random_unrotate'](x, n, stream(desk, 'turn'))
    sink.f32(desk.f32(x, n))
  }
} }

const lattice: Section = { name: 'privacy/lattice', level: 'quick', run({ desk }, sink) {
  for (const n of [...Array.from({ length: 18 }, (_, i) => i), 1000]) {
    for (const bits of [8, 17, 31, 32]) {
      desk.clear()
      const values = integers(`vector ${n} ${bits}`, n, 2 ** 16).map(x => x - 2 ** 15)
      const v = desk.put(values), sum = desk.put(integers(`sum ${n}`, n, 2 ** 32))
      sink.f64(desk.k['lattice_norm_squared'](v, n), desk.k['lattice_largest'](v, n) >>> 0)
      desk.k['add_mod'](sum, v, n, bits)
      sink.i32(desk.i32(sum, n))
      desk.k['lift_mod'](sum, n, bits)
      sink.i32(desk.i32(sum, n)).f64(desk.k['lattice_shorten'](v, n, 5000)).i32(desk.i32(v, n))
      desk.k['lattice_clamp'](v, n, 100)
      sink.i32(desk.i32(v, n))
    }
  }
} }

/** Clients' updates to integers, their sum, noise, and back. */
function round(name: string, rotate: boolean, rounding: 'stochastic' | 'nearest', quantile: boolean): Section {
  return { name: `privacy/release ${name}`, level: rotate ? 'full' : 'quick', run({ engine }, sink) {
    const publicSeed = seed('public'), dimension = 333
    for (let number = 1; number <= 3; number++) {
      const grid = chooseLattice({ clip: 0.5, cohort: 5, capacity: 9, dimension, noiseMultiplier: 0.7, rounding, rotate, ...quantile && { quantile: { noise: 1 } } })
      const aggregate = new Aggregate(engine, grid)
      for (let client = 0; client < 5; client++) {
        const update = uniform(`update ${number} ${client}`, dimension, 0.02 * (client + 1))
        const { values, norm } = encode(engine, grid, update, { publicSeed, round: number, client })
        sink.i32(values).f64(norm)
        aggregate.add(values)
      }
      const { mean, within } = release(engine, aggregate, new SeededNoise(seed('noise')), { publicSeed, round: number, simulation: true })
      sink.f32(mean).f64(within ?? -1)
    }
  } }
}

const STRATEGIES: readonly CorrelatedStrategy[] = [
  { kind: 'banded', coefficients: [1, 0.5, 0.375, 0.3125] },
  { kind: 'blt', outputScale: [0.3, 0.1], bufferDecay: [0.9, 0.5] },
  { kind: 'tree' },
]

function correlated(strategy: CorrelatedStrategy): Section {
  return { name: `privacy/correlated ${strategy.kind}`, level: 'full', run({ engine }, sink) {
    const rounds = 12, dimension = 40
    const grid = chooseLattice({ clip: 1, cohort: 10, dimension, noiseMultiplier: 2, noiseSpread: noiseSpread(strategy, rounds) })
    const noise = new CorrelatedNoise({ lattice: grid, strategy, rounds, minSeparation: 4, maxParticipations: 3 })
    const source = new SeededNoise(7)
    for (let number = 1; number <= rounds; number++) {
      const aggregate = new Aggregate(engine, grid)
      sink.f32(release(engine, aggregate, source, { publicSeed: seed('public'), round: number, simulation: true, correlated: { noise } }).mean)
    }
    const { history, counts } = noise.save()
    sink.i32(counts).f64(...history)
  } }
}

export const noise: readonly Section[] = [
  philox, chacha, gaussian, rounding, rotation, lattice,
  round('plain', false, 'stochastic', false), round('nearest, with quantile', false, 'nearest', true), round('rotated', true, 'stochastic', false),
  ...STRATEGIES.map(correlated),
]
