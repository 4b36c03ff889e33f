import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeSlice, readSlice, trainedRows, wholeSlice, writeSlice } from '../../src/peft/slice.ts'
import { node } from '../../src/runtime/node.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const engine = await createEngine(node())
const a = new Tensor(engine, 'a', [4, 3]), b = new Tensor(engine, 'b', [5]), parameters = new Map([['a', a], ['b', b]])
const part = (tensor: string, from: number, to: number, columns: number) => ({ tensor, from, to, columns })

test('write then read of seeded slices gives the same bits, in the order of the parts, and changes no row outside', () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = rng(seed), from = random.int(0, 3), to = random.int(from + 1, 4), first = random.int(0, 4)
    const parts = [part('a', from, to, 3), part('b', first, random.int(first + 1, 5), 1)]
    const slice = makeSlice(random.uniform() < 0.5 ? parts : parts.reverse())
    const before = [random.f32(12), random.f32(5)]
    a.write(before[0])
    b.write(before[1])
    const values = random.f32(slice.length)
    writeSlice(parameters, slice, values)
    sameBits(readSlice(parameters, slice), values, 'read')
    const expected = before.map(each => each.slice())
    let at = 0
    for (const each of slice.parts) {
      const n = (each.to - each.from) * each.columns
      expected[each.tensor === 'a' ? 0 : 1].set(values.subarray(at, at + n), each.from * each.columns)
      at += n
    }
    sameBits(a.read(), expected[0], 'a')
    sameBits(b.read(), expected[1], 'b')
  }
})

test('a whole slice is every value; its rows are those that train', () => {
  const slice = wholeSlice([a, b], 2)
  assert.is(slice.length, 17)
  assert.is(slice.rank, 2)
  assert.equal([...trainedRows(parameters, slice)], [[a, { from: 0, to: 4 }], [b, { from: 0, to: 5 }]])
})

test('no parts, an empty part, a row twice, another model\'s parts and a wrong count of values are errors; nothing is written', () => {
  assert.throws(() => makeSlice([]), /"parts" expected at least one part/)
  assert.throws(() => makeSlice([part('a', 2, 2, 3)]), /"a: to" expected an integer >= 3, got 2/)
  assert.throws(() => makeSlice([part('a', -1, 2, 3)]), /"a: from" expected an integer >= 0/)
  assert.throws(() => makeSlice([part('a', 0, 2, 3), part('b', 0, 1, 1), part('a', 1, 3, 3)]), /expected rows that no other part has, got 1 to 3 again/)
  assert.throws(() => trainedRows(parameters, makeSlice([part('a', 0, 1, 3), part('a', 1, 2, 3)])), /expected one part of "a" in training/)
  a.write(new Float32Array(12).fill(7))
  for (const [bad, message] of [[part('c', 0, 1, 1), /expected a trainable tensor "c"/], [part('a', 0, 5, 3), /got a tensor of shape \[4, 3\]/], [part('a', 0, 1, 4), /rows 0 to 1 of 4/]] as const) {
    const slice = makeSlice([part('b', 0, 1, 1), bad])
    assert.throws(() => readSlice(parameters, slice), message)
    const before = b.read()
    assert.throws(() => writeSlice(parameters, slice, new Float32Array(slice.length)), message)
    sameBits(b.read(), before, 'not half-written')
  }
  assert.throws(() => writeSlice(parameters, makeSlice([part('a', 0, 2, 3)]), new Float32Array(5)), /"values" expected 6 values, got 5/)
  sameBits(a.read(), new Float32Array(12).fill(7))
})

test('a tensor checks the rows that it is asked for and the values that it is given', () => {
  assert.throws(() => a.read(0, 5), /"a: to" expected an integer from 0 to 4, got 5/)
  assert.throws(() => a.read(3, 2), /"a: from" expected an integer from 0 to 2/)
  assert.throws(() => a.write(new Float32Array(11)), /"a" expected 12 values, got 11/)
  assert.throws(() => a.write(new Float32Array(6), 3), /"a" expected 3 values, got 6/)
  assert.throws(() => a.write(new Float32Array(2), 3), /"a" expected 3 values, got 2/)
})

test.run()
