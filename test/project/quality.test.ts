/** The scripts behind docs/quality.md on the small BERT: they measure what they say, and can say no. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { accuracyRows, meanOf, trainOnce } from '../../scripts/quality/accuracy.mjs'
import { blocks, limitOf, rounded } from '../../scripts/quality/blocks.mjs'
import { cosine, cosines } from '../../scripts/quality/cosines.mjs'
import { formats, tiny } from '../../scripts/quality/models.mjs'
import { built } from '../../scripts/quality/sotto.mjs'
import { accuracyTable, blockTables, cosineTable, verdict, withTables } from '../../scripts/quality/tables.mjs'
import { int8Limit, int8Quantize } from '../reference/int8-linear.ts'
import { close, sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const WORDS: Record<string, string[]> = { ham: ['meeting', 'lunch', 'report', 'friday'], spam: ['free', 'money', 'win', 'prize'] }
const source = rng(3)
const texts = Array.from({ length: 96 }, (_, i) => {
  const label = i % 2 === 0 ? 'ham' : 'spam'
  return { label, text: Array.from({ length: 6 }, () => WORDS[label][source.int(0, 3)]).join(' ') }
})
const data = { train: texts.slice(0, 64), test: texts.slice(64) }
const sotto: any = await built()

test('cosines: f32 with itself is 1, f16 beyond 0.9999, int8 beyond 0.99 but not 1; a table has a row each', async () => {
  const rows: any[] = await cosines(sotto, tiny, { f32: { format: 'f32', embeddings: 'f32' }, ...formats }, data, { batches: 2, tokens: 16 })
  const by = (format: string) => rows.find((row: any) => row.format === format)
  for (const value of [by('f32').logits, by('f32').median, by('f32').least.cosine]) close([value], [1], 1e-12)
  assert.ok(by('f16').least.cosine > 0.9999 && by('f16').least.cosine < 1)
  assert.ok(by('int8').least.cosine > 0.99 && by('int8').least.cosine < by('f16').least.cosine)
  assert.ok(by('int8').logits < by('int8, f32 tables').logits, 'int8 tables cost something')
  assert.is(cosineTable(rows).split('\n').length, 2 + rows.length)
  close([cosine([1, 0], [1, 1])], [Math.SQRT1_2], 1e-15)
})

test('blocks: one scale is the kernel\'s definition; every operand has its error, and smaller blocks have less of it where there are outliers', async () => {
  const W = rng(5).f32(6 * 256)
  for (let r = 0; r < 6; r++) W[r * 256 + 17] = 60
  const { w, scale } = int8Quantize(W, 6, 256), kernel = Float32Array.from(w, (q, i) => q * scale[Math.floor(i / 256)])
  close(rounded(W, 256, Infinity, 127), kernel, i => 1e-6 * scale[Math.floor(i / 256)] * 127)
  for (const terms of [64, 384, 1536, 65536]) assert.is(limitOf(terms), int8Limit(terms))
  const off = (size: number) => Math.hypot(...rounded(W, 256, size, 127).map((v: number, i: number) => v - W[i]))
  assert.ok(off(64) < 0.6 * off(Infinity), 'an outlier stays in its block')
  const found: any = await blocks(sotto, tiny, data, { batches: 1, tokens: 16 })
  assert.is(found.layers.length, 12)
  for (const { weights, activations } of found.layers) assert.ok(weights.Infinity > 1e-3 && weights.Infinity < 0.05 && activations.Infinity < 1e-3 && activations.Infinity > 0)
  const lost = (kind: string) => 1 - found.whole.find((row: any) => row.kind === kind && row.terms === Infinity).median
  assert.ok(lost('weights') > 10 * lost('activations') && lost('all') > 0 && lost('gradients') >= 0)
  assert.match(blockTables([JSON.parse(JSON.stringify(found))]), /`attention\.self\.query` \(2\)/)
})

test('accuracy: the same seed gives the same decisions, f32 learns the words, and differences have their errors', async () => {
  const settings = { steps: 30, batch: 8, tokens: 16, learningRate: 0.02 }
  const once = (seed: number, options: object) => trainOnce(sotto, tiny, options, seed, data, settings)
  const f32 = [await once(1, { format: 'f32' }), await once(2, { format: 'f32' })], int8 = [await once(1, { format: 'int8' }), await once(2, { format: 'int8' })]
  assert.equal(await once(1, { format: 'f32' }), f32[0])
  assert.ok(f32[0].reduce((a: number, b: number) => a + b) > 0.8 * data.test.length)
  const rows = accuracyRows('tiny', { f32, int8 })
  assert.equal(rows.map(({ format, seeds, mails }: any) => [format, seeds, mails]), [['f32', 2, 32], ['int8', 2, 32]])
  assert.is(rows[0].difference, 0)
  assert.match(accuracyTable(rows), /\| tiny \| int8 \| [\d.]+ % \(2 seeds, 32 mails\) \| [+−][\d.]+ ± [\d.]+ \|/)
})

test('standard errors and verdicts by hand', () => {
  close([meanOf([1, 3]).mean, meanOf([1, 3]).error], [2, 1], 1e-15)
  // two seeds over four mails: one of them decides one mail otherwise, in favour
  const [, row] = accuracyRows('m', { f32: [[1, 0, 1, 1], [1, 0, 1, 1]], int8: [[1, 1, 1, 1], [1, 0, 1, 1]] })
  close([row.difference, row.changed], [12.5, 12.5], 1e-12)
  close([row.error], [12.5], 1e-12, 'by seeds: 25 and 0 points; by mails: 50, 0, 0, 0, the same')
  assert.equal([verdict(0.1, 0.05), verdict(0.1, 0.2), verdict(-0.5, 0.2), verdict(-0.9, 0.2)], ['yes', 'yes, though two standard errors reach beyond', 'no, though within two standard errors', 'no'])
})

test('the page has a place for each table; a table without one is an error; what stands around it stays', () => {
  const page = readFileSync('docs/quality.md', 'utf8')
  const filled = withTables(page, { cosines: '| a |', blocks: '| b |', accuracy: '| c |' })
  for (const text of ['<!-- quality: cosines -->\n| a |\n<!-- quality: end -->', '<!-- quality: accuracy -->\n| c |\n']) assert.ok(filled.includes(text))
  assert.is(withTables(filled, { cosines: '| a |', blocks: '| b |', accuracy: '| c |' }), filled)
  assert.throws(() => withTables(page, { speed: '' }), /expected <!-- quality: speed -->/)
  sameBits([page.split('## ').length], [filled.split('## ').length])
})

test.run()
