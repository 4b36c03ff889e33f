import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { random } from '../src/random.ts'

/** xoshiro128** as its authors define it (prng.di.unimi.it), in arithmetic of big integers. */
function xoshiro(state: bigint[]): bigint {
  const word = (x: bigint) => x & 0xffffffffn, rotate = (x: bigint, k: bigint) => word(x << k) | (x >> (32n - k))
  const result = word(rotate(word(state[1] * 5n), 7n) * 9n), t = word(state[1] << 9n)
  state[2] ^= state[0]
  state[3] ^= state[1]
  state[1] ^= state[2]
  state[0] ^= state[3]
  state[2] ^= t
  state[3] = rotate(state[3], 11n)
  return result
}

/** The state that the labels give: lowbias32 mixed over their text. */
function stateOf(text: string): bigint[] {
  const word = (x: bigint) => x & 0xffffffffn
  const mix = (x: bigint) => {
    x = word((x ^ (x >> 16n)) * 0x21f0aaadn)
    x = word((x ^ (x >> 15n)) * 0x735a2d97n)
    return x ^ (x >> 15n)
  }
  let state = [0x9e3779b9n, 0x243f6a88n, 0xb7e15162n, 0xdeadbeefn]
  for (const char of text) state = state.map((s, j) => mix(s ^ BigInt(char.charCodeAt(0)) ^ (BigInt(j) << 17n)))
  return state.map((s, j) => mix(word(s + BigInt(j))))
}

test('1000 words of several streams equal xoshiro128** in big integers', () => {
  for (const [labels, text] of [[[1, 'rank', 7], 'number:1\0string:rank\0number:7'], [[], ''], [['x'], 'string:x']] as const) {
    const stream = random(...labels), state = stateOf(text)
    for (let i = 0; i < 1000; i++) assert.is(stream.u32(), Number(xoshiro(state)))
  }
})

test('the same labels give the same stream, others another: 1 is not "1", and no join of labels is another\'s', () => {
  const first = (...labels: (string | number)[]) => random(...labels).u32()
  assert.is(first('a', 1), first('a', 1))
  const all = [first(), first(1), first('1'), first('a', 'b'), first('ab'), first('b', 'a'), first('a', 1), first('a', 2), first('a', '1')]
  assert.is(new Set(all).size, all.length)
})

test('below(n): in range for every n, equal frequencies within 5 standard deviations, and no n outside 1 .. 2^32', () => {
  const stream = random('below')
  for (const n of [1, 2, 3, 7, 10, 1000]) {
    const draws = 20000, counts = new Array<number>(n).fill(0)
    for (let i = 0; i < draws; i++) counts[stream.below(n)]++
    const bound = 5 * Math.sqrt(draws * (1 / n) * (1 - 1 / n)) + 1
    counts.forEach((count, i) => assert.ok(Math.abs(count - draws / n) <= bound, `${i} of ${n}: ${count}`))
  }
  // where 2^32 % n is almost n, taking the remainder of a word would favour the low half by a third
  const n = 3 * 2 ** 30, low = Array.from({ length: 20000 }, () => stream.below(n)).filter(x => x < 2 ** 30).length
  assert.ok(Math.abs(low - 20000 / 3) < 5 * Math.sqrt(20000 * 2 / 9), String(low))
  for (const bad of [0, -1, 1.5, NaN, 2 ** 32 + 1]) assert.throws(() => stream.below(bad), /"n" expected an integer from 1 to 2\^32/)
})

test('uniform lies in [0, 1) with mean 1/2 and variance 1/12 within 5 standard errors; shuffle is a permutation in place', () => {
  const stream = random('uniform'), n = 50000
  let sum = 0, squares = 0
  for (let i = 0; i < n; i++) {
    const x = stream.uniform()
    assert.ok(x >= 0 && x < 1)
    sum += x
    squares += (x - 0.5) ** 2
  }
  assert.ok(Math.abs(sum / n - 0.5) < 5 * Math.sqrt(1 / 12 / n))
  assert.ok(Math.abs(squares / n - 1 / 12) < 5 * Math.sqrt(1 / 180 / n))
  const first = new Array<number>(5).fill(0)
  for (let i = 0; i < 5000; i++) {
    const items = [0, 1, 2, 3, 4]
    assert.is(stream.shuffle(items), items)
    first[items[0]]++
    assert.equal([...items].sort(), [0, 1, 2, 3, 4])
  }
  first.forEach(count => assert.ok(Math.abs(count - 1000) < 5 * Math.sqrt(800), String(first)))
})

test.run()
