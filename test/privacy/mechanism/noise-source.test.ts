import { sha256 } from '@noble/hashes/sha2.js'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as mechanism from '../../../src/privacy/mechanism/index.ts'
import { SeededNoise } from '../../../src/privacy/mechanism/seeded-noise.ts'
import { within, type Frame } from '../../../src/privacy/mechanism/scratch.ts'
import {
  openPublic, openSecret, type PublicPurpose, type SecretPurpose,
} from '../../../src/privacy/mechanism/stream.ts'
import { PrivacyError } from '../../../src/errors.ts'
import { hex, scratch, seed } from './support.ts'

const { Aggregate, SystemNoise, chooseLattice, release } = mechanism

const memory = await scratch('simd')
const system = () => new SystemNoise((bytes) => crypto.getRandomValues(bytes))
const first = (open: (frame: Frame) => number) => within(memory, 100, (frame) => {
  const out = frame.alloc(64)
  frame.kernels.chacha20_fill(out, open(frame), 64)
  return hex(memory.bytes().slice(out, out + 64))
})

test('system noise takes a function, never a seed, and is not to be extended', () => {
  for (const value of [1, 'seed', new Uint8Array(32), undefined, null, {}]) {
    assert.throws(() => new SystemNoise(value as never), /takes no seed/)
  }
  class Silent extends SystemNoise {
    override open() { return 0 }
  }
  assert.throws(() => new Silent((bytes) => crypto.getRandomValues(bytes)), /extended/)
})

test('system noise refuses a generator that leaves the array as it was, or repeats itself', () => {
  assert.throws(() => new SystemNoise(() => {}), /zeros only/)
  assert.throws(() => new SystemNoise((bytes) => bytes.fill(7)), /same 32 twice/)
})

test('system noise cannot be serialised, by JSON or structured clone, alone or within another object', () => {
  assert.throws(() => JSON.stringify(system()), /not to be serialised/)
  assert.throws(() => JSON.stringify({ noise: [system()] }), /not to be serialised/)
  assert.throws(() => structuredClone(system()))
  assert.throws(() => structuredClone({ noise: [system()] }))
  assert.equal(Object.keys(system()).sort(), ['kind', 'toJSON'])
})

test('system noise draws a new key for each stream, and the same stream only once', () => {
  const source = system()
  const streams = [0, 1, 2].map((round) => first((frame) => source.open(frame, { purpose: 'noise', round })))
  streams.push(first((frame) => source.open(frame, { purpose: 'noise', round: 0, index: 1 })))
  streams.push(first((frame) => source.open(frame, { purpose: 'mask', round: 0 })))
  // a process that starts again, at the same round
  streams.push(first((frame) => system().open(frame, { purpose: 'noise', round: 0 })))
  assert.is(new Set(streams).size, 6)
  assert.throws(() => first((frame) => source.open(frame, { purpose: 'noise', round: 1 })), /noise\/1\/0/)
})

test('system noise erases the key: the array given to the host holds zeros afterwards', () => {
  const arrays: Uint8Array[] = []
  const source = new SystemNoise((bytes) => { arrays.push(bytes); crypto.getRandomValues(bytes) })
  first((frame) => source.open(frame, { purpose: 'noise', round: 0 }))
  assert.ok(arrays.at(-1)?.every((byte) => byte === 0))
})

test('seeded noise: the same seed gives the same stream, other seeds, purposes, rounds and indices give others', () => {
  const open = (seedOf: number | Uint8Array, purpose: SecretPurpose, round: number, index?: number) =>
    first((frame) => new SeededNoise(seedOf).open(frame, { purpose, round, index }))
  assert.is(open(1, 'noise', 5), open(1, 'noise', 5, 0))
  const streams = [
    open(1, 'noise', 5), open(2, 'noise', 5), open(2 ** 32 + 1, 'noise', 5), open(1, 'sampling', 5),
    open(1, 'noise', 6), open(1, 'noise', 5, 1), open(1, 'noise', 2 ** 32 + 5), open(seed(1), 'noise', 5),
  ]
  assert.is(new Set(streams).size, streams.length)
  for (const odd of [-1, 0.5, NaN, 2 ** 53]) assert.throws(() => new SeededNoise(odd), /seed/)
  assert.throws(() => new SeededNoise(new Uint8Array(31)), /32 bytes/)
})

test('secret and public streams of one root key differ, for every purpose', () => {
  const secrets: SecretPurpose[] = ['noise', 'correlated-noise', 'sampling', 'mask']
  const publics: PublicPurpose[] = ['rotation', 'rounding', 'slice', 'order']
  const streams = [
    ...secrets.map((purpose) => first((frame) => openSecret(frame, seed(1), { purpose, round: 3 }))),
    ...publics.map((purpose) => first((frame) => openPublic(frame, seed(1), { purpose, round: 3 }))),
  ]
  assert.is(new Set(streams).size, 8)
  assert.throws(() => first((frame) => openPublic(frame, seed(1), { purpose: 'noise' as never, round: 3 })), /purpose/)
})

test('commitments: of system noise each its own, of seeded noise that of the key; before a draw there is none', () => {
  const one = system(), id = (round: number) => ({ purpose: 'noise', round }) as const
  assert.throws(() => one.commitmentTo(id(0)), /expected a stream that was opened, got noise\/0\/0/)
  const commitments = [0, 1, 2].map(round => {
    first(frame => one.open(frame, id(round)))
    return one.commitmentTo(id(round))
  })
  const again = system()
  first(frame => again.open(frame, id(0)))
  assert.is(new Set([...commitments, again.commitmentTo(id(0))]).size, 4)
  for (const commitment of commitments) assert.match(commitment, /^[0-9a-f]{64}$/)
  let key = new Uint8Array(32)
  const watched = new SystemNoise(bytes => {
    crypto.getRandomValues(bytes)
    key = bytes.slice()
  })
  first(frame => watched.open(frame, id(0)))
  assert.is(watched.commitmentTo(id(0)), mechanism.commitmentOf(key))
  assert.is.not(mechanism.commitmentOf(key), hex(sha256(key)), 'bound to its purpose')
  const seeded = new SeededNoise(seed(4))
  for (const round of [0, 1]) {
    first(frame => seeded.open(frame, id(round)))
    assert.is(seeded.commitmentTo(id(round)), mechanism.commitmentOf(seed(4)))
  }
})

test('a release gives its integers, from which everything else follows, and the commitment', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 2, dimension: 5, noiseMultiplier: 1, rotate: true, quantile: { noise: 1 } })
  const options = { publicSeed: seed(1), round: 7 }
  const released = release(memory, new Aggregate(memory, lattice), new SeededNoise(seed(2)), { ...options, simulation: true })
  assert.is(released.commitment, mechanism.commitmentOf(seed(2)))
  assert.is(released.noised.length, lattice.length)
  const { mean, within: share } = mechanism.decodeRelease(memory, lattice, released.noised, options)
  assert.equal([...mean], [...released.mean])
  assert.is(share, released.within)
  assert.throws(() => mechanism.decodeRelease(memory, lattice, new Int32Array(3), options), /"noised" expected 9 integers, got 3/)
  const quiet = chooseLattice({ clip: 1, cohort: 1, dimension: 2, noiseMultiplier: 0 })
  assert.is(release(memory, new Aggregate(memory, quiet), new SeededNoise(1), { ...options, simulation: true }).commitment, null)
})

test('the entry of the mechanism does not export seeded noise', () => {
  assert.not.ok('SeededNoise' in mechanism)
})

test('a release takes system noise alone, unless it says that it is a simulation', () => {
  const lattice = chooseLattice({ clip: 1, cohort: 1, dimension: 2, noiseMultiplier: 1 })
  const quiet = chooseLattice({ clip: 1, cohort: 1, dimension: 2, noiseMultiplier: 0 })
  const options = { publicSeed: seed(1), round: 0 }
  const attempt = (of: mechanism.Lattice, source: mechanism.NoiseSource, simulation = false) =>
    release(memory, new Aggregate(memory, of), source, { ...options, simulation })
  const forged = Object.assign(Object.create(SystemNoise.prototype), { kind: 'system', open: () => 0 })
  const proxied = new Proxy(system(), { get: (target, key) => (key === 'open' ? () => 0 : Reflect.get(target, key)) })
  for (const source of [new SeededNoise(1), forged, proxied]) {
    assert.throws(() => attempt(lattice, source), (error: Error) => error instanceof PrivacyError)
  }
  assert.throws(() => attempt(quiet, system()), (error: Error) => error instanceof PrivacyError)
  assert.is(attempt(lattice, system()).noise, 'system')
  assert.is(attempt(lattice, new SeededNoise(1), true).noise, 'seeded')
})

test.run()
