/**
 * The shape of a simulation's settings file. Each message says what is expected, so that an error can be told as
 * «expected ..., got ...».
 * @module
 */
import * as v from 'valibot'

const text = (what: string) => v.pipe(v.string(what), v.nonEmpty(what))
const positive = (what = 'a number above 0') => v.pipe(v.number(what), v.finite(what), v.gtValue(0, what))
const share = (what = 'a number from 0 to 1') => v.pipe(v.number(what), v.minValue(0, what), v.maxValue(1, what))
const count = (what = 'an integer of at least 1') => v.pipe(v.number(what), v.safeInteger(what), v.minValue(1, what))
const list = <T extends v.GenericSchema>(item: T, what: string) => v.pipe(v.array(item, what), v.minLength(1, what))
const choice = <const T extends readonly string[]>(...words: T) => v.picklist(words, `one of ${words.map(word => `"${word}"`).join(', ')}`)
const object = <T extends v.ObjectEntries>(entries: T, what = 'an object') => v.strictObject(entries, what)
const NATURAL = 'an integer of at least 0'
const seed = v.pipe(v.number(NATURAL), v.safeInteger(NATURAL), v.minValue(0, NATURAL))

const NAME = 'a name of letters, digits, - and _ (at most 64)'

/** A name that can be a folder's on every system. */
export const Name = v.pipe(v.string(NAME), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, NAME))

const BETWEEN = 'a number between 0 and 1'

const HeldOut = object({
  fraction: v.pipe(v.number(BETWEEN), v.gtValue(0, BETWEEN), v.ltValue(1, BETWEEN)),
  by: v.optional(choice('client', 'order'), 'client'),
  seed: v.optional(v.union([seed, text('a seed')], 'an integer or a text')),
})

/** Where labelled texts come from. */
export const Data = object({
  train: text('a file of client, text and label (.jsonl, .csv or .tsv)'),
  test: v.optional(text('a file of client, text and label (.jsonl, .csv or .tsv)')),
  heldOut: v.optional(HeldOut),
  format: v.optional(choice('jsonl', 'csv', 'tsv')),
  columns: v.optional(object({
    client: v.optional(text('a column name')), text: v.optional(text('a column name')), label: v.optional(text('a column name')),
  })),
})

const Lora = object({
  rank: count(),
  alpha: positive(),
  sites: list(text('the end of a layer name, such as "query"'), 'a list of layer names, such as ["query", "value"]'),
  scaling: v.optional(choice('alpha/r', 'alpha/sqrt(r)')),
  seed: v.optional(seed),
}, 'an object with rank, alpha and sites')

const METHODS = '"lora", "dylora", "full", or an object with one of them as its kind'

const Method = v.variant('kind', [
  object({ kind: v.literal('lora'), factors: v.optional(choice('both', 'A', 'B', 'alternate')) }),
  object({
    kind: v.literal('dylora'),
    ranks: v.optional(list(count(), 'a list of ranks')),
    variant: v.optional(choice('prefix', 'row')),
    factors: v.optional(choice('both', 'B')),
  }),
  object({ kind: v.literal('full') }),
], METHODS)

const Local = object({
  epochs: count(),
  batchSize: count(),
  learningRate: positive(),
  momentum: v.optional(share()),
  maxGradientNorm: v.optional(positive()),
  maxExamples: v.optional(count()),
  dropout: v.optional(share()),
}, 'an object with epochs, batchSize and learningRate')

const Server = v.variant('optimizer', [
  object({ optimizer: v.literal('sgd'), learningRate: positive(), momentum: v.optional(share()) }),
  object({
    optimizer: v.literal('adam'), learningRate: positive(),
    beta1: v.optional(share()), beta2: v.optional(share()), eps: v.optional(positive()),
  }),
], 'an object whose optimizer is "sgd" or "adam"')

const DELTA = 'a number from 1e-12 to below 1'

const Privacy = object({
  unit: choice('client', 'user', 'device', 'example'),
  adjacency: choice('add-remove', 'zero-out', 'substitute'),
  epsilon: v.optional(positive()),
  noiseMultiplier: v.optional(positive()),
  delta: v.pipe(v.number(DELTA), v.minValue(1e-12, DELTA), v.ltValue(1, DELTA)),
  population: count(),
  noiseCohort: v.optional(count()),
  clip: positive(),
  clipRule: v.optional(choice('flat', 'inverse-sqrt', 'inverse', 'sqrt')),
  adaptiveClip: v.optional(object({ quantile: v.optional(share()), rate: v.optional(positive()) })),
}, 'an object with unit, adjacency, epsilon or noiseMultiplier, delta, population and clip; or null')

/** What belongs to the whole file. */
export const shared = {
  name: v.optional(Name),
  data: Data,
  labels: v.optional(list(text('a label'), 'a list of labels')),
  threads: v.optional(count()),
}

/** What each run may have its own of. */
export const own = {
  model: text('a folder'),
  format: v.optional(choice('stored', 'f32', 'f16', 'bf16', 'int8')),
  embeddings: v.optional(choice('stored', 'f32', 'f16', 'int8')),
  pooling: v.optional(choice('mean', 'cls')),
  lora: v.optional(Lora),
  method: Method,
  rounds: count(),
  cohort: count(),
  local: Local,
  server: Server,
  privacy: v.optional(Privacy),
  seed: v.optional(seed),
  noise: v.optional(choice('seeded', 'system')),
  maxTokens: v.optional(count()),
  evaluateEvery: v.optional(count()),
  evaluateExamples: v.optional(count()),
}

/** One run with everything that it takes. */
export const Run = object({ ...shared, ...own })

/** A run, checked. */
export type RunSettings = v.InferOutput<typeof Run>
