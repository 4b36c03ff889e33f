import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Aggregate, SystemNoise, chooseLattice, encode, release } from '../../../src/privacy/mechanism/index.ts'
import { within } from '../../../src/privacy/mechanism/scratch.ts'
import { scratch, seed } from './support.ts'

const publicSeed = seed(4)

for (const variant of ['simd', 'scalar'] as const) {
  for (const rotate of [false, true]) {
    test(`${variant}${rotate ? ', rotated' : ''}: encode, add and release leave no byte behind`, async () => {
      const memory = await scratch(variant)
      const before = memory.bytes().slice()
      const lattice = chooseLattice({
        clip: 1, cohort: 2, dimension: 20_000, noiseMultiplier: 1, rotate, quantile: { noise: 2 },
      })
      const update = new Float32Array(20_000).fill(0.01)
      const aggregate = new Aggregate(memory, lattice)
      for (let client = 0; client < 2; client++) {
        aggregate.add(encode(memory, lattice, update, { publicSeed, round: 0, client }).values)
      }
      release(memory, aggregate, new SystemNoise((bytes) => crypto.getRandomValues(bytes)), { publicSeed, round: 0 })
      const after = memory.bytes()
      assert.ok(after.length > before.length, 'the memory has grown, so views made before were dead')
      // every byte: the module's own (none of them changes) and all that frames have used
      const odd = after.findIndex((byte, i) => byte !== (i < before.length ? before[i] : 0))
      assert.is(odd, -1, `byte ${odd} was left behind`)
    })
  }
}

test('a frame is erased when it throws, too, and the scan sees what is not erased', async () => {
  const memory = await scratch('simd')
  const dirty = () => memory.bytes().subarray(65536).some((byte) => byte !== 0)
  assert.throws(() => within(memory, 100, (frame) => {
    frame.put(seed(1))
    assert.ok(dirty())
    throw new Error('stop')
  }), /stop/)
  assert.not.ok(dirty())
  assert.is(memory.arena.top, 65536)
  assert.throws(() => within(memory, 100, (frame) => frame.alloc(10_000)), /at most/)
})

test('a refused contribution leaves nothing in memory and nothing in the sum', async () => {
  const memory = await scratch('simd')
  const lattice = chooseLattice({ clip: 1, cohort: 2, dimension: 3, noiseMultiplier: 1 })
  const aggregate = new Aggregate(memory, lattice)
  aggregate.add(Int32Array.of(1, 2, 3))
  assert.throws(() => aggregate.add(Int32Array.of(lattice.clipInt, lattice.clipInt, 0)), /norm/)
  assert.not.ok(memory.bytes().subarray(65536).some((byte) => byte !== 0))
  assert.is(aggregate.count, 1)
  assert.equal(aggregate.take(), Int32Array.of(1, 2, 3))
})

test.run()
