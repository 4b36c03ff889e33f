/**
 * The tokenizer of a model folder.
 * @module
 */
import { show } from '../assert.ts'
import { asObject, parseJson } from '../checkpoint/json.ts'
import { readFile } from '../checkpoint/source.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { FormatError } from '../errors.ts'
import { tokenizerFrom } from './adapter.ts'
import type { TokenizerDefinition } from './adapter.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * Loads `tokenizer.json`; where there is none, BERT's `vocab.txt`, or RoBERTa's `vocab.json` with `merges.txt`.
 *
 * Truncation and padding that the file asks for are left to the caller, who gives the length to `encode`.
 *
 * @throws FormatError where none of these is there, or the file is broken.
 */
export async function loadTokenizer(source: FileSource): Promise<Tokenizer> {
  if (await source.has('tokenizer.json')) {
    return tokenizerFrom(await readObject(source, 'tokenizer.json') as TokenizerDefinition, 'tokenizer.json')
  }
  if (await source.has('vocab.txt')) return wordPiece(source)
  if (await source.has('vocab.json') && await source.has('merges.txt')) return byteLevelBpe(source)
  throw new FormatError(
    'model folder expected tokenizer.json, or vocab.txt, or vocab.json with merges.txt, got none of these; ' +
    'copy the tokenizer files of the model into the folder',
  )
}

/** BERT's vocabulary, one token a line; the line's number is the id. */
async function wordPiece(source: FileSource): Promise<Tokenizer> {
  const file = 'vocab.txt'
  const vocab = Object.create(null) as Record<string, number>
  const lines = await readLines(source, file)
  lines.forEach((token, id) => {
    if (vocab[token] !== undefined) {
      throw new FormatError(
        `${show(file)} line ${id + 1} expected a new token, got ${show(token)} of line ${vocab[token] + 1} again`,
      )
    }
    vocab[token] = id
  })
  const config = await source.has('tokenizer_config.json') ? await readObject(source, 'tokenizer_config.json') : {}
  const token = (key: string, fallback: string): [string, number] => {
    const content = tokenContent(config[key]) ?? fallback
    if (vocab[content] === undefined)
      throw new FormatError(`${show(file)} expected the token ${show(content)}, got none`)
    return [content, vocab[content]]
  }
  const [unknown, separator, start] = [
    token('unk_token', '[UNK]'),
    token('sep_token', '[SEP]'),
    token('cls_token', '[CLS]'),
  ]
  const special = [token('pad_token', '[PAD]'), unknown, start, separator]
  const mask = tokenContent(config.mask_token) ?? '[MASK]'
  if (vocab[mask] !== undefined) special.push([mask, vocab[mask]])
  return tokenizerFrom(
    {
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: config.tokenize_chinese_chars ?? true,
        strip_accents: config.strip_accents ?? null,
        lowercase: config.do_lower_case ?? true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: { type: 'BertProcessing', sep: separator, cls: start },
      added_tokens: special.map(([content, id]) => ({ content, id, special: true, normalized: false })),
      model: {
        type: 'WordPiece',
        unk_token: unknown[0],
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    },
    file,
  )
}

/** RoBERTa's byte-level BPE in two files. */
async function byteLevelBpe(source: FileSource): Promise<Tokenizer> {
  const file = 'vocab.json'
  const vocab = await readObject(source, file)
  const merges = (await readLines(source, 'merges.txt')).filter(line => line !== '' && !line.startsWith('#version'))
  const token = (content: string): [string, number] => {
    if (typeof vocab[content] !== 'number')
      throw new FormatError(`${show(file)} expected the token ${show(content)}, got none`)
    return [content, vocab[content]]
  }
  const special = ['<s>', '<pad>', '</s>', '<unk>'].map(token)
  return tokenizerFrom(
    {
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: {
        type: 'RobertaProcessing',
        sep: special[2],
        cls: special[0],
        trim_offsets: true,
        add_prefix_space: false,
      },
      added_tokens: special.map(([content, id]) => ({ content, id, special: true, normalized: false })),
      model: { type: 'BPE', unk_token: null, vocab, merges },
    },
    file,
  )
}

async function readObject(source: FileSource, name: string): Promise<Record<string, unknown>> {
  return asObject(parseJson(await readFile(source, name, 'tokenizer'), name).value, name)
}

async function readLines(source: FileSource, name: string): Promise<string[]> {
  const bytes = await readFile(source, name, 'tokenizer')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FormatError(`${show(name)} expected UTF-8 text, got bytes that are not UTF-8`)
  }
  return text.replace(/\r?\n$/, '').split(/\r?\n/)
}

/** A special token is written as a string, or as an object with its content. */
function tokenContent(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const content = value !== null && typeof value === 'object' ? (value as Record<string, unknown>).content : undefined
  return typeof content === 'string' ? content : undefined
}
