/**
 * Reading no more of a text than the model can use. Tokenizers work on whole strings; a model keeps the first few
 * hundred tokens. So a growing prefix is encoded until it holds enough of them, and the work is linear in what is read.
 * @module
 */

/** Characters of the first prefix for each token wanted; a token of English text is 4 to 5 long. */
const CHARACTERS_A_TOKEN = 6

/** Tokens beyond those wanted, so that none that is kept touches the end of the prefix. */
const MARGIN = 16

/** The most characters that are read where fewer hold too few tokens: an endless word of 65,536 overflows the stack of a page's worker. */
export const READ_LIMIT = 16_384

/**
 * The first `count` ids of a text, or all where there are fewer.
 *
 * A prefix ends before white space, where every supported tokenizer splits, so its ids are the first ids of the whole.
 *
 * @param encode Ids of a string, without special tokens.
 */
export function firstIds(text: string, count: number, encode: (text: string) => readonly number[]): readonly number[] {
  const limit = Math.max(READ_LIMIT, CHARACTERS_A_TOKEN * count)
  const readable = text.length > limit ? wellFormed(text.slice(0, limit)) : wellFormed(text)
  for (let length = CHARACTERS_A_TOKEN * (count + MARGIN); ; length *= 2) {
    const end = boundary(readable, length)
    const ids = encode(readable.slice(0, end))
    if (end === readable.length || ids.length >= count + MARGIN) return ids.slice(0, count)
  }
}

/** The first place at or after `from` where white space follows something else; the end where there is none. */
function boundary(text: string, from: number): number {
  if (from >= text.length) return text.length
  // looking behind would be shorter, but engines without SIMD refuse it
  const edge = /\S\s/g
  edge.lastIndex = from - 1
  const found = edge.exec(text)
  return found === null ? text.length : found.index + 1
}

/** Replaces lone surrogates, which no encoding of text can carry, by U+FFFD. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
