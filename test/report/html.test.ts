import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reportHtml } from '../../src/report/html.ts'
import { experiment, runRecord } from './support.ts'

const page = reportHtml(experiment())

test('the page asks nothing of a network and runs no script', () => {
  assert.not.match(page, /https?:|\/\/[a-z]|src=|href=|url\(|@import|<script|<link|<iframe|<img|\son[a-z]+=/i)
  assert.match(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">/)
})

test('every plot is there, has a title and a description, and its numbers in a table', () => {
  const svgs = page.match(/<svg [^>]*role="img".*?<\/svg>/gs)!
  assert.is(svgs.length, 7)
  for (const id of ['accuracy', 'epsilon', 'loss', 'norm', 'clipped', 'rank', 'bytes']) {
    const svg = svgs.find(one => one.includes(`aria-labelledby="${id}-title ${id}-desc"`))!
    assert.ok(svg, id)
    assert.match(svg, new RegExp(`<title id="${id}-title">.+</title><desc id="${id}-desc">.+</desc>`))
  }
  assert.is(page.match(/<figure>/g)!.length, page.match(/<details><summary>/g)!.length)
  assert.is(page.match(/<path class="line" d="M/g)!.length >= 3 * 3, true)
})

test('no number is lost on the way to a path: no NaN, no undefined, no infinity', () => {
  assert.not.match(page, /NaN|undefined|Infinity|\[object/)
})

test('a line has a point for each evaluation, and the last is the accuracy on the whole test set', () => {
  const svg = /<svg [^>]*aria-labelledby="accuracy-title.*?<\/svg>/s.exec(page)![0]
  const [first] = svg.match(/<path class="line" d="[^"]*"/g)!
  assert.is(first.match(/[ML]/g)!.length, 4 + 1)
  assert.match(svg, /<title>plain: 12, 87.5 %<\/title>/)
})

test('tags are balanced', () => {
  for (const tag of ['main', 'section', 'figure', 'details', 'table', 'tbody', 'tr', 'td', 'th', 'svg', 'g', 'ul', 'li', 'dl', 'div']) {
    assert.is(page.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length, page.match(new RegExp(`</${tag}>`, 'g'))?.length, tag)
  }
})

test('names and labels from outside are text, wherever they appear', () => {
  const evil = '"><img src=x onerror=alert(1)><script>alert(2)</script>\'&\u0001'
  const hostile = reportHtml(experiment({
    name: evil, model: evil,
    runs: [runRecord(evil, 'dylora', true, { labels: [evil, 'b'], method: evil })],
    data: { ...experiment().data, labelShares: { [evil]: 1 }, testShares: { [evil]: 1 }, heldOut: evil },
    left: [evil], versions: { sotto: evil, runtime: evil },
  }))
  assert.not.match(hostile, /<script|<img|\u0001/)
  assert.ok(!hostile.includes('onerror=alert(1)>'))
  assert.is(hostile.match(/<main>/g)!.length, 1)
})

test('it says what is promised, assumed and not promised', () => {
  for (const pattern of [
    /A simulation, no guarantee/, /noise of 5,000/, /Sampling must be random and secret/, /came from a seed/,
    /Choosing settings by looking at results/, /protected unit/, /add-remove/, /cross-check/, /attacker finds, at 1 % false alarms/,
    /whole clients that training never saw/,
  ]) assert.match(page, pattern)
})

test('without privacy it says so, and shows no epsilon plot', () => {
  const plain = reportHtml(experiment({ runs: [runRecord('plain', 'lora', false)] }))
  assert.match(plain, /Not private\./)
  assert.not.match(plain, /epsilon-title/)
  assert.not.match(plain, /NaN|undefined|Infinity/)
})

test('light, dark, phone and print are provided for', () => {
  assert.match(page, /prefers-color-scheme: dark/)
  assert.match(page, /max-width: 560px/)
  assert.match(page, /@media print/)
  assert.match(page, /name="viewport"/)
  assert.match(page, /<html lang="en">/)
})

test('one round, and many, are drawn too', () => {
  const [first] = runRecord('one', 'dylora', true).rounds
  const one = runRecord('one', 'dylora', true, { rounds: [first] })
  assert.not.match(reportHtml(experiment({ runs: [one] })), /NaN|undefined|Infinity/)
  const rounds = Array.from({ length: 5000 }, (_, i) => ({ ...first, round: i + 1, epsilon: i / 5000 }))
  const many = reportHtml(experiment({ runs: [{ ...one, rounds }] }))
  assert.ok(many.length < 400_000, String(many.length))
})

test.run()
