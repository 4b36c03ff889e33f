/** The gate of banned words stops what it should, and only that. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { banProblems } from '../../scripts/check/bans.mjs'

const bans = (text: string): string[] => banProblems('src/file.ts', text)

test('functions of Math that engines compute differently fail; exact ones pass', () => {
  for (const name of ['exp', 'log', 'sin', 'cos', 'pow', 'tanh', 'random', 'hypot', 'cbrt', 'expm1', 'log2', 'atan2']) {
    assert.match(bans(`const x = Math.${name}(1)`)[0], new RegExp(`^src/file.ts:1 uses Math.${name}`))
  }
  for (const name of ['abs', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'min', 'max', 'fround', 'imul', 'sign', 'clz32']) {
    assert.equal(bans(`const x = Math.${name}(1)`), [])
  }
  assert.equal(bans('const x = Math.PI * 2'), [])
})

test('Math as a value or by a computed name fails: it would hide the function', () => {
  assert.is(bans('const { exp } = Math').length, 1)
  assert.is(bans(`const x = Math['exp'](1)`).length, 1)
  for (const text of ['(Math).exp(1)', '(Math as any).exp(1)', 'Math!.exp(1)', 'const f = { Math }', 'const f = { m: Math }', 'let m; m = Math', 'use(Math)',
    'const f = () => Math', 'Object.entries(Math)', 'Reflect.get(Math, name)', 'const { ...all } = Math', 'export { Math }', 'const [m] = [Math]', 'Math?.["exp"](1)',
    'with_(Math)', 'for (const f of Object.values(Math)) f(1)', 'class A { m = Math }']) assert.ok(bans(text).length > 0, text)
  for (const text of [`globalThis['Math'].exp(1)`, `self['Math'].exp(1)`, 'global.Math.exp(1)', 'Math?.exp(1)', 'Math.exp.call(null, 1)', 'const f = Math.exp']) {
    assert.ok(bans(text).length > 0, text)
  }
  assert.equal(bans('const x = Math.sqrt(Math.abs(y)) + Math.max(...z.map(Math.abs))\ntype M = typeof Math'), [])
})

test('** passes for whole powers of 2 only', () => {
  for (const text of ['const x = 2 ** k', 'const x = 2 ** -24', 'const x = 2 ** (k + 1)']) assert.equal(bans(text), [], text)
  for (const text of ['const x = 2 ** 0.5', 'const x = 2 ** -(0.5)', 'const x = 2 ** (1 / 3)']) assert.is(bans(text).length, 1, text)
  assert.is(bans('const x = y ** 2').length, 1)
  assert.is(bans('x **= 2').length, 1)
})

test('globals of a runtime fail, with their line', () => {
  for (const text of ['console.log(1)', 'new Date()', 'Date.now()', 'performance.now()', 'process.env.X', 'window.x', 'navigator.y', 'Deno.args',
    'Bun.env', `require('x')`, 'globalThis.x', 'self.x', 'global.x', 'setTimeout(f, 1)', 'fetch(x)', 'crypto.getRandomValues(x)', 'new Intl.NumberFormat()', `eval('1')`, `new Function('1')`]) {
    assert.match(bans(`const before = 1\n${text}`)[0] ?? '', /^src\/file\.ts:2 uses /, text)
  }
  assert.is(bans('a.localeCompare(b)').length, 1)
  assert.is(bans('a.toLocaleString()').length, 1)
})

test('a name that one function declares hides a global there and nowhere else', () => {
  assert.is(bans('function f(Math: number) { return Math }\nexport const { exp } = Math').length, 1)
  assert.is(bans('function f(Date: number) { return Date }\nexport const now = Date.now()').length, 1)
  assert.equal(bans('function f() { { const self = 1; g(self) } }\nfor (const window of windows) h(window)'), [])
})

test('locales, code from strings and the collector fail under any spelling', () => {
  for (const text of [`a['localeCompare'](b)`, 'const { toLocaleString } = a', 'const { localeCompare: compare } = a', `(() => {}).constructor('return 1')`,
    `import('node:' + name)`, 'new WeakRef(a)', 'new FinalizationRegistry(f)']) assert.is(bans(text).length, 1, text)
  assert.equal(bans(`if (a.constructor !== b.constructor) throw new TypeError()\nconst m = await import('./here.ts')`), [])
})

test('the same words in comments, strings, members, types and own names pass', () => {
  assert.equal(bans('// Math.exp and console.log\n/** Date.now() */\nconst text = "process.env Math.pow"'), [])
  assert.equal(bans('const settings = { window: 3, process: 4 }\nconst w = settings.window + settings.process'), [])
  assert.equal(bans('function cut(window: number): number { return window + 1 }'), [])
  assert.equal(bans('interface Clock { performance: number }'), [])
})

test.run()
