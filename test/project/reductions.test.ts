/** The gate of sums finds floats that JavaScript adds up, by their type, and leaves other sums alone. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { textProblems } from '../../scripts/check/reductions.mjs'

const head = 'declare const x: Float32Array, y: Float64Array, n: Int32Array, list: number[]\nlet s = 0\n'
const found = (text: string): string[] => textProblems(head + text)

test('loops over floats that add up fail, however they are written', () => {
  for (const text of [
    'for (let i = 0; i < x.length; i++) s += x[i]', 'for (let i = 0; i < 9; i++) s += x[i] * y[i]', 'for (const v of x) s += v * v', 'for (const v of y) s -= v',
    'for (let i = 0; i < 9; i++) s = s + x[i]', 'for (let i = 0; i < 9; i++) s = (x[i] * 2 + s)', 'x.forEach(v => { s += v })', 'let p = 1\nfor (const v of x) p *= v',
    's += x.reduce((a, b) => a + b)', 'const t = y.reduceRight((a, b) => a + b, 0)', 'for (let i = 0; i < 9; i++) s += Math.abs(x[i])',
    'for (let i = 0; i < 9; i++) s += x.subarray(1)[i]',
  ]) assert.match(found(text)[0] ?? '', /^file\.ts:\d .*sum in a kernel/, text)
})

test('so do sums by way of a name, a list, a method under another name, a property or one element', () => {
  for (const text of [
    'for (let i = 0; i < 9; i++) {\nconst v = x[i]; s += v }', 'for (let i = 0; i < 9; i++) {\nconst v = x[i] * y[i]; s = s + v }', 'for (let i = 0; i < 9; i++) s = Math.fround(s + x[i])',
    'for (let i = 0; i < 9; i++) s += x.at(i)!', 'for (const v of x.values()) s += v', 'for (const [, v] of x.entries()) s += v', 'for (const v of Array.from(x)) s += v',
    'for (let i = 0; i < 9; i += 2) {\nconst [a, b] = x.subarray(i); s += a + b }', 's = [...x].reduce((a, b) => a + b)', 's = Array.from(x).reduce((a, b) => a + b)',
    `s = x['reduce']((a, b) => a + b)`, 's = Array.prototype.reduce.call(x, (a: any, b: any) => a + b) as number',
    'const o = { s: 0 }\nfor (const v of x) o.s += v', 'for (let i = 0; i < 9; i++) y[0] += x[i]', 'type F = Float32Array\nconst f = (z: F) => z.reduce((a, b) => a + b)',
    'const f = <T extends Float64Array>(z: T) => z.reduce((a, b) => a + b)', 'const f = (z: Float32Array | number[]) => { for (const v of z) s += v }',
    'const f = (z: DataView) => { for (let i = 0; i < 9; i++) s += z.getFloat32(4 * i) }',
  ]) assert.match(found(text)[0] ?? '', /^file\.ts:\d .*sum in a kernel/, text)
})

test('sums of integers, counts, element-wise work and lists of numbers that no tensor holds pass', () => {
  for (const text of [
    'for (const v of n) s += v', 'for (let i = 0; i < 9; i++) s += n[i]', 'for (const v of x) if (v > 0) s += 1', 'for (let i = 0; i < 9; i++) x[i] -= y[i]',
    'for (let i = 0; i < 9; i++) x[i] = 2 * x[i]', 's += list.reduce((a, b) => a + b, 0)', 's += n.reduce((a, b) => a + b)', 's = x[0]', 's = Math.max(s, x[1])',
    's += x.length', 'const k = x.length; s += k', 'const v = x[0]; if (v > s) s = v', 'const big = n.filter(v => v > x[0]); s += big.length',
    'for (let i = 0; i < 9; i++) {\nconst v = x[i]; y[i] += v }', 'const t = x.map(v => v + 1)',
  ]) assert.equal(found(text), [], text)
})

test.run()
