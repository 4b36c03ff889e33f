/**
 * A tokenizer over `@huggingface/tokenizers`, which does WordPiece, BPE and unigram models with their normalisers.
 * @module
 */
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers'
import { anInteger, aString, show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import type { Tokenizer } from './tokenizer.ts'
import { firstIds } from './window.ts'

/** The largest id that is believed; the largest vocabularies in use have some 260,000. */
const MAX_ID = 1 << 24

/** What `tokenizer.json` holds, as far as it is looked at here. */
export interface TokenizerDefinition {
  readonly normalizer?: unknown
  readonly pre_tokenizer?: unknown
  readonly post_processor?: unknown
  readonly decoder?: unknown
  readonly added_tokens?: unknown
  readonly model?: unknown
}

/**
 * Builds a tokenizer from a definition in the form of `tokenizer.json`.
 *
 * @param title Where the definition came from, for errors and reports.
 * @param prepare A change to the text before the tokenizer sees it.
 * @throws FormatError where the definition is broken or of a kind that is not known.
 */
export function tokenizerFrom(
  definition: TokenizerDefinition,
  title: string,
  prepare?: (text: string) => string,
): Tokenizer {
  const fail = (detail: string): never => {
    throw new FormatError(`${show(title)} ${detail}`)
  }
  const model = plainObject(definition.model) ?? fail(`"model" expected an object, got ${show(definition.model)}`)
  const kind = modelKind(model) ?? fail(`"model.type" expected WordPiece, BPE or Unigram, got ${show(model.type)}`)
  const added = definition.added_tokens ?? []
  if (!Array.isArray(added)) return fail(`"added_tokens" expected an array, got ${show(added)}`)

  let largest = -1
  const seen = (token: unknown, id: unknown): void => {
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0 || id > MAX_ID) {
      fail(`token ${show(token)} expected an id from 0 to ${MAX_ID}, got ${show(id)}`)
    }
    if ((id as number) > largest) largest = id as number
  }
  if (kind === 'Unigram') {
    const pieces = Array.isArray(model.vocab)
      ? model.vocab
      : fail(`"model.vocab" expected an array, got ${show(model.vocab)}`)
    pieces.forEach((piece: unknown, id: number) => {
      if (!Array.isArray(piece) || typeof piece[0] !== 'string' || typeof piece[1] !== 'number') {
        fail(`"model.vocab[${id}]" expected [piece, score], got ${show(piece)}`)
      }
      seen(piece, id)
    })
  } else {
    const vocabulary = plainObject(model.vocab) ?? fail(`"model.vocab" expected an object, got ${show(model.vocab)}`)
    const ids = new Set<unknown>()
    for (const [token, id] of Object.entries(vocabulary)) {
      seen(token, id)
      if (ids.has(id)) fail(`token ${show(token)} expected an id of its own, got ${show(id)} again`)
      ids.add(id)
    }
  }
  for (const token of added) {
    const entry = plainObject(token)
    if (typeof entry?.content !== 'string')
      fail(`"added_tokens" expected objects with "content" and "id", got ${show(token)}`)
    seen(entry?.content, entry?.id)
  }
  if (largest < 0) fail('expected a vocabulary, got an empty one')

  // The library trusts its definition; whatever it throws over one means that the definition is broken.
  const guard = <T,>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (error instanceof FormatError) throw error
      return fail(
        `expected a definition that the library knows, got: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  const hub = guard(
    () =>
      new HubTokenizer(
        {
          normalizer: null,
          pre_tokenizer: null,
          post_processor: null,
          decoder: null,
          ...definition,
          added_tokens: added,
        },
        {},
      ),
  )
  const unknown = hub.model?.unk_token_id
  const ids = (text: string): readonly number[] =>
    guard(() => {
      const found = hub.encode(text, { add_special_tokens: false }).ids
      for (const id of found) {
        if (!Number.isInteger(id)) fail(`expected a token for ${show(text)}, got none: the model has no unknown token`)
      }
      return found
    })
  const { before, after } = guard(() => specialIds(hub, fail))
  const nothing = before.length + after.length === 0 ? [unknown ?? 0] : []

  return Object.freeze({
    name: `${kind} (${title})`,
    vocabularySize: largest + 1,
    specials: Object.freeze({ before: Object.freeze(before), after: Object.freeze(after) }),
    encode: (text: string, maxTokens: number): Int32Array => {
      aString('text', text, true)
      const room = anInteger('maxTokens', maxTokens, before.length + after.length + 1) - before.length - after.length
      const body = firstIds(text, room, prepare === undefined ? ids : part => ids(prepare(part)))
      return Int32Array.from([...before, ...(body.length === 0 ? nothing : body), ...after])
    },
  })
}

type Kind = 'WordPiece' | 'BPE' | 'Unigram'

/** Old files leave the type out; then the shape of the model tells. */
function modelKind(model: Record<string, unknown>): Kind | undefined {
  if (model.type === 'WordPiece' || model.type === 'BPE' || model.type === 'Unigram') return model.type
  if (model.type !== undefined) return undefined
  if (Array.isArray(model.vocab)) return 'Unigram'
  if (Array.isArray(model.merges)) return 'BPE'
  return typeof model.continuing_subword_prefix === 'string' ? 'WordPiece' : undefined
}

/** Where the post-processor puts a text tells which ids come before and after it. */
function specialIds(hub: HubTokenizer, fail: (detail: string) => never): { before: number[], after: number[] } {
  const marker = '\u0000text\u0000'
  const tokens = hub.post_processor === null ? [marker] : hub.post_processor([marker], null, true).tokens
  const place = tokens.indexOf(marker)
  if (place < 0) fail('"post_processor" expected to keep the text, got one that drops it')
  const toId = (token: string): number =>
    hub.token_to_id(token) ?? fail(`special token ${show(token)} expected an id, got none`)
  return { before: tokens.slice(0, place).map(toId), after: tokens.slice(place + 1).map(toId) }
}

function plainObject(value: unknown): Record<string, unknown> | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
