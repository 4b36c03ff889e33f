/**
 * The unigram vocabulary of the Universal Sentence Encoder Lite, as its JavaScript packages ship it: an array of
 * [piece, score], the piece of id i at place i.
 *
 * Text is brought to NFKC, white space becomes one space between words (as the SentencePiece model it was trained
 * with does), each word starts with U+2581, and case is kept. On a text whose white space is single spaces the ids
 * are those of `@energetic-ai/embeddings` and `@tensorflow-models/universal-sentence-encoder`.
 * @module
 */
import { show } from '../assert.ts'
import { parseJson } from '../checkpoint/json.ts'
import { readFile } from '../checkpoint/source.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { FormatError } from '../errors.ts'
import { tokenizerFrom } from './adapter.ts'
import type { Tokenizer } from './tokenizer.ts'

/** The unknown piece, start, end and three spares: ids that no text may spell. */
const RESERVED = 6

const UNKNOWN = '\ufffd'

/**
 * Loads `vocab.json` of a Universal Sentence Encoder folder. There are no special tokens.
 *
 * @throws FormatError where the file is missing or broken.
 */
export async function loadSentenceEncoderTokenizer(source: FileSource, file = 'vocab.json'): Promise<Tokenizer> {
  const vocabulary = parseJson(await readFile(source, file, 'the vocabulary of the sentence encoder'), file).value
  if (!Array.isArray(vocabulary) || vocabulary.length <= RESERVED) {
    throw new FormatError(`${show(file)} expected an array of more than ${RESERVED} pieces, got ${show(vocabulary)}`)
  }
  const letters = new Set<string>()
  const vocab = vocabulary.map((entry: unknown, id): [string, number] => {
    const [piece, score] = Array.isArray(entry) ? entry as unknown[] : []
    if (typeof piece !== 'string' || piece === '' || (score !== null && typeof score !== 'number')) {
      throw new FormatError(`${show(file)} piece ${id} expected [text, score], got ${show(entry)}`)
    }
    // A space never reaches the model, so a reserved piece that starts with one is never found in a text.
    if (id < RESERVED) return [` ${piece}`, 0]
    for (const letter of piece) letters.add(letter)
    // The packages' file lacks the scores of a few pieces with a colon; their tokenizers count them as zero.
    return [piece, score ?? 0]
  })
  const definition = {
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
    model: { type: 'Unigram', unk_id: 0, vocab },
  }
  return tokenizerFrom(definition, file, text => normalise(text, letters))
}

/** NFKC and single spaces; each run of letters that the vocabulary lacks becomes one unknown letter. */
function normalise(text: string, letters: ReadonlySet<string>): string {
  const words = text.normalize('NFKC').replace(/\s+/g, ' ').trim()
  let out = ''
  let unknown = false
  for (const letter of words) {
    const known = letter === ' ' || letters.has(letter)
    if (known) out += letter
    else if (!unknown) out += UNKNOWN
    unknown = !known
  }
  return out
}
