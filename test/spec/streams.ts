/** The streams, hashes and integers of the specification, computed by Sotto. */
import { canonicalJson, hashArray, hashOf } from '../../src/canonical.ts'
import type { Plain } from '../../src/canonical.ts'
import { attachLora } from '../../src/peft/lora.ts'
import { adaptiveClip, Aggregate, chooseLattice, commitmentOf, CorrelatedNoise, encode, nextClip, noiseSpread, release } from '../../src/privacy/mechanism/index.ts'
import type { CorrelatedStrategy, Lattice } from '../../src/privacy/mechanism/index.ts'
import { within } from '../../src/privacy/mechanism/scratch.ts'
import { SeededNoise } from '../../src/privacy/mechanism/seeded-noise.ts'
import { openSecret } from '../../src/privacy/mechanism/stream.ts'
import { random } from '../../src/random.ts'
import { node } from '../../src/runtime/node.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { encoderOf } from '../support/golden.ts'
import type { Value, Values } from './format.ts'
import type { Operations } from './operations.ts'

const int = (value: Value): number => (value as number[])[0]
const f64 = (value: Value): number => (value as Float64Array)[0]
const bytes = (value: Value): Uint8Array => value as Uint8Array
const fromHex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g)!, pair => parseInt(pair, 16))

function latticeOf({ clip, cohort, capacity, dimension, x, z, rotate, nearest, quantile }: Values): Lattice {
  return chooseLattice({
    clip: f64(clip), cohort: int(cohort), ...(capacity && { capacity: int(capacity) }), dimension: dimension ? int(dimension) : x.length, noiseMultiplier: f64(z),
    ...(rotate && { rotate: true }), ...(nearest && { rounding: 'nearest' as const }), ...(quantile && { quantile: { noise: f64(quantile) } }),
  })
}

/** The operations on a build. */
export async function streams(variant: 'simd' | 'scalar'): Promise<Operations> {
  const engine = await createEngine(node(), { variant }), { kernels } = engine
  const encoder = await encoderOf('test/fixtures/tiny-bert', { variant })
  return {
    canonical_json({ json }) {
      const value = JSON.parse((json as string[])[0]) as Plain
      return { text: [canonicalJson(value)], hash: fromHex(hashOf(value)) }
    },
    hash_array: ({ x }) => ({ hash: fromHex(hashArray(x as Float32Array)) }),
    random({ labels, count }) {
      const source = random(...labels as (string | number)[])
      return { u32: Array.from({ length: int(count) }, () => source.u32()) }
    },
    random_below({ labels, n, count }) {
      const source = random(...labels as (string | number)[])
      return { values: Array.from({ length: int(count) }, () => source.below(int(n))) }
    },
    shuffle: ({ labels, n }) => ({ items: random(...labels as (string | number)[]).shuffle(Array.from({ length: int(n) }, (_, i) => i)) }),
    lora_a({ site, rank, inputs, seed, count }) {
      const { pairs: [{ A }] } = attachLora(encoder, { rank: int(rank), alpha: 1, sites: [(site as string[])[0]], seed: int(seed) })
      if (A.columns !== int(inputs)) throw new Error(`vector expected the model's ${A.columns} inputs, got ${int(inputs)}`)
      return { first: A.read().slice(0, int(count)) }
    },
    chacha_words: ({ key, code, index, round, count }) => within(engine, int(count) * 4 + 64, frame => {
      const purpose = (['noise', 'correlated-noise', 'sampling', 'mask'] as const)[int(code) - 0x5ec00000]
      const stream = openSecret(frame, bytes(key), { purpose, index: int(index), round: int(round) }), out = frame.alloc(int(count) * 4)
      kernels['chacha20_fill'](out, stream, int(count) * 4)
      return { words: [...frame.i32(out, int(count))].map(word => word >>> 0) }
    }),
    discrete_gaussian: ({ key, sigma, round, count }) => within(engine, int(count) * 4 + 64, frame => {
      const stream = openSecret(frame, bytes(key), { purpose: 'noise', round: int(round) }), out = frame.alloc(int(count) * 4)
      kernels['discrete_gaussian_fill'](out, int(count), int(sigma), stream)
      return { values: [...frame.i32(out, int(count))] }
    }),
    lattice(given) {
      const l = latticeOf(given)
      return {
        step: Float64Array.of(l.step), length: [l.length], updateClipInt: [l.updateClipInt], quantileInt: [l.quantileInt], clipInt: [l.clipInt], sigmaInt: [l.sigmaInt],
        modulusBits: [l.modulusBits], achieved: Float64Array.of(l.achievedNoiseMultiplier),
        ...(l.roundingVarianceShare !== null && { share: Float64Array.of(l.roundingVarianceShare) }),
      }
    },
    encode(given) {
      const { values, norm } = encode(engine, latticeOf(given), given.x as Float32Array, { publicSeed: bytes(given.seed), round: int(given.round), client: int(given.client) })
      return { norm: Float64Array.of(norm), values: [...values] }
    },
    release(given) {
      const lattice = latticeOf(given), aggregate = new Aggregate(engine, lattice)
      aggregate.add(Int32Array.from(given.sum as number[]))
      const { mean, within: share, noised } = release(engine, aggregate, new SeededNoise(bytes(given.noise)), { publicSeed: bytes(given.seed), round: int(given.round), simulation: true })
      return { total: [...noised], mean, ...(share !== null && { within: Float64Array.of(share) }) }
    },
    correlated(given) {
      const rounds = int(given.rounds), list = (value: Value) => [...value as Float64Array]
      const strategy: CorrelatedStrategy = given.second ? { kind: 'blt', outputScale: list(given.first), bufferDecay: list(given.second) }
        : given.first ? { kind: 'banded', coefficients: list(given.first) } : { kind: 'tree' }
      const spread = noiseSpread(strategy, rounds)
      const lattice = chooseLattice({ clip: f64(given.clip), cohort: int(given.cohort), dimension: int(given.dimension), noiseMultiplier: f64(given.z), noiseSpread: spread })
      const noise = new CorrelatedNoise({ lattice, strategy, rounds, minSeparation: 1, maxParticipations: rounds }), source = new SeededNoise(bytes(given.noise))
      const u = Array.from({ length: rounds }, (_, t) => within(engine, noise.bytes + 4 * lattice.length + 64, frame => {
        const sum = frame.alloc(4 * lattice.length)
        noise.addTo(frame, sum, lattice.length, source, t + 1)
        return [...frame.i32(sum, lattice.length)]
      }))
      return { spread: Float64Array.of(spread), u: u.flat() }
    },
    commitment: ({ key }) => ({ hash: fromHex(commitmentOf(bytes(key))) }),
    next_clip: ({ clip, rate, quantile, within: share }) => ({
      clip: Float64Array.of(nextClip(adaptiveClip({ clip: f64(clip), rate: f64(rate), quantile: f64(quantile) }), f64(share)).clip),
    }),
  }
}
