import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { both } from '../support/both.ts'
import { close, EPS } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import * as reference from '../reference/dropout.ts'

const run = await both()
const words = (x: Float32Array) => [...new Uint32Array(x.buffer)]

/** Which of n elements are kept at rate p. */
function mask(n: number, p: number, key0: number, key1: number, stream: number): Float32Array {
  return run('mask', ({ k, put, out }) => {
    k.dropout_forward(out('kept', n), put(new Float32Array(n).fill(1)), 1, n, 0, p * 2 ** 32, 1, key0, key1, stream)
  }).kept
}

test('philox_block gives the known answers of Random123 for philox4x32, 10 rounds', () => {
  // kat_vectors of the Random123 distribution: counter, key, result
  const vectors = [
    [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [[-1, -1, -1, -1], [-1, -1], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ]
  for (const [counter, key, expected] of vectors) {
    assert.equal(reference.philox(counter, key), expected)
    const got = run('known answer', ({ k, out }) => { k.philox_block(out('words', 16), ...counter, ...key) }).words
    assert.equal([0, 4, 8, 12].map((i) => words(got)[i]), expected)
    const [c0, c1, c2, c3] = counter
    assert.equal(words(got), reference.philoxBlock(c0, c1, c2, c3, key[0], key[1]))
  }
})

test('dropout_forward equals the reference for every remainder of 16, same bits in both builds, in place too', () => {
  for (let C = 1; C < 52; C++) {
    const M = 1 + C % 3, n = M * C, first = 5 * C
    const x = rng(n).f32(n), scale = Math.fround(1 / 0.7), threshold = Math.round(0.3 * 2 ** 32)
    const got = run(`dropout ${C}`, ({ k, put, out, change }) => {
      k.dropout_forward(out('y', n), put(x), M, C, first, threshold, scale, 17, -3, 5)
      const over = change('over', x)
      k.dropout_forward(over, over, M, C, first, threshold, scale, 17, -3, 5)
    })
    const expected = reference.dropoutForward(x, C, first, threshold, scale, 17, -3, 5)
    close(got.y, expected, (i) => EPS * Math.abs(expected[i]))
    assert.equal(got.over, got.y)
  }
})

test('replayable: a longer array begins with the mask of a shorter one; backward is the same mask', () => {
  const long = mask(1000, 0.25, 1, 2, 3)
  assert.equal(mask(333, 0.25, 1, 2, 3), long.slice(0, 333))
  const dy = rng(1).f32(40), threshold = 2 ** 30
  const f = (x: ArrayLike<number>) => reference.dropoutForward(x, 8, 3, threshold, 4 / 3, 1, 2, 3)
  checkGradient((x) => dot(f(x), dy), rng(2).f32(40), f(dy))
})

test('rows from any row on have the mask that they have in the whole batch', () => {
  const C = 20, x = new Float32Array(7 * C).fill(1)
  const whole = run('whole', ({ k, put, out }) => { k.dropout_forward(out('y', 7 * C), put(x), 7, C, 0, 2 ** 31, 2, 9, 8, 7) }).y
  for (let from = 0; from < 7; from++) {
    const part = run('part', ({ k, put, out }) => {
      k.dropout_forward(out('y', (7 - from) * C), put(x.subarray(from * C)), 7 - from, C, from, 2 ** 31, 2, 9, 8, 7)
    }).y
    assert.equal(part, whole.slice(from * C))
  }
})

test('threshold 0 keeps everything; a dropped NaN or infinity is 0, a kept one is not hidden', () => {
  assert.ok(mask(999, 0, 1, 2, 3).every((v) => v === 1))
  const kept = mask(64, 0.5, 9, 9, 9)
  for (const bad of [NaN, Infinity]) {
    const y = run('bad', ({ k, put, out }) => {
      k.dropout_forward(out('y', 64), put(new Float32Array(64).fill(bad)), 1, 64, 0, 2 ** 31, 2, 9, 9, 9)
    }).y
    y.forEach((v, i) => assert.ok(kept[i] ? !Number.isFinite(v) : v === 0))
  }
})

// n = 2^18 draws. |z| < 5 fails by chance with 6e-7 a test; the seeds are fixed, so that a failure is not chance.
test('the rate of drops is p within 5 standard deviations of 2^18 draws, at p = 0.001 .. 0.9', () => {
  const n = 1 << 18
  for (const p of [0.001, 0.1, 0.5, 0.9]) {
    const dropped = n - mask(n, p, 123, 456, 7).reduce((a, b) => a + b)
    const z = (dropped - n * p) / Math.sqrt(n * p * (1 - p))
    assert.ok(Math.abs(z) < 5, `p = ${p}: z = ${z}`)
  }
})

test('chi-square of 256 blocks of 1024 draws, and of drops by position mod 16, within 5 standard deviations', () => {
  const n = 1 << 18, p = 0.1
  const kept = mask(n, p, 31, 41, 59)
  for (const [cells, cell] of [[256, (i: number) => i >> 10], [16, (i: number) => i & 15]] as const) {
    const count = new Float64Array(cells), each = n / cells
    for (let i = 0; i < n; i++) if (kept[i] === 0) count[cell(i)]++
    const chi = count.reduce((sum, c) => sum + (c - each * p) ** 2 / (each * p * (1 - p)), 0)
    const z = (chi - cells) / Math.sqrt(2 * cells)
    assert.ok(Math.abs(z) < 5, `${cells} cells: z = ${z}`)
  }
})

test('streams, keys and neighbours at distances 1 .. 17 are uncorrelated within 5 standard deviations', () => {
  const n = 1 << 18, p = 0.5
  const base = mask(n, p, 1, 2, 3)
  const z = (a: Float32Array, b: Float32Array) => {
    const count = Math.min(a.length, b.length)
    let same = 0
    for (let i = 0; i < count; i++) same += a[i] === b[i] ? 1 : -1
    return same / Math.sqrt(count)
  }
  for (const [k0, k1, stream] of [[1, 2, 4], [1, 3, 3], [2, 2, 3], [2, 1, 3], [1, 2, 0x10003]]) {
    assert.ok(Math.abs(z(base, mask(n, p, k0, k1, stream))) < 5, `${k0} ${k1} ${stream}`)
  }
  for (let lag = 1; lag <= 17; lag++) assert.ok(Math.abs(z(base, base.subarray(lag))) < 5, `lag ${lag}`)
})

test.run()
