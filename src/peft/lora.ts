/**
 * LoRA adapters: a pair A [R, inputs], B [outputs, R] beside each chosen linear site, y += (alpha / r) x A^T B^T. B is held
 * transposed, so that rank i is row i of both factors, and a DyLoRA prefix of b ranks is the first b rows.
 *
 * Sources: LoRA (arXiv 2106.09685), DyLoRA (arXiv 2210.07558), rank-stabilised scale (arXiv 2312.03732); initial values as
 * Hugging Face PEFT: A uniform in +-1/sqrt(inputs) (Kaiming, a = sqrt 5), B zero.
 * @module
 */
import { aNumber, anInteger, anOptions, oneOf, show } from '../assert.ts'
import type { Encoder } from '../model/encoder.ts'
import type { LowRank, Site } from '../ops/pass.ts'
import { random } from '../random.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { SlicePart } from './slice.ts'

/** What an adapter is made from. */
export interface LoraConfig {
  /** Maximum rank R. */
  readonly rank: number
  /** The scale is alpha / r, r being the rank in use. */
  readonly alpha: number
  /** Sites by the end of their names, as PEFT's `target_modules`: `query` is every site that ends with `.query`. */
  readonly sites: readonly string[]
  /** `alpha/r` (default) or, rank-stabilised, `alpha/sqrt(r)`. */
  readonly scaling?: 'alpha/r' | 'alpha/sqrt(r)'
  /** Seed of the initial values of A. */
  readonly seed?: number
}

/** The pair of one site. */
export interface LoraPair {
  readonly site: Site
  /** [R, inputs] */
  readonly A: Tensor
  /** [R, outputs]: B transposed. */
  readonly Bt: Tensor
}

/** Low-rank pairs on some sites of an encoder. */
export interface LoraAdapter {
  readonly config: Required<LoraConfig>
  readonly pairs: readonly LoraPair[]
  /** alpha / rank, or alpha / sqrt(rank). */
  scale(rank: number): number
  /** The pair of a site as a pass of this rank reads it. */
  at(rank: number): (site: Site) => LowRank | undefined
  /** The rows from .. to of every pair; factors A, B or both. */
  parts(from: number, to: number, factors?: 'both' | 'A' | 'B'): SlicePart[]
}

/**
 * Attaches an adapter to an encoder.
 *
 * @throws RangeError where no site has a name that was asked for
 */
export function attachLora(encoder: Encoder, config: LoraConfig): LoraAdapter {
  anOptions('lora', config, ['rank', 'alpha', 'sites', 'scaling', 'seed'])
  const rank = anInteger('rank', config.rank, 1, 4096)
  const alpha = aNumber('alpha', config.alpha, Number.MIN_VALUE)
  const scaling = oneOf('scaling', config.scaling ?? 'alpha/r', ['alpha/r', 'alpha/sqrt(r)'])
  const seed = anInteger('seed', config.seed ?? 0)
  const pairs = matchSites(encoder, config.sites).map(site => {
    const { inputs, outputs } = site.weight
    const A = new Tensor(encoder.engine, `${site.name}.lora_A`, [rank, inputs])
    A.write(initialA(site.name, rank, inputs, seed))
    return Object.freeze({ site, A, Bt: new Tensor(encoder.engine, `${site.name}.lora_B`, [rank, outputs]) })
  })
  const bySite = new Map(pairs.map(pair => [pair.site, pair]))
  const scale = (r: number) => Math.fround(alpha / (scaling === 'alpha/r' ? r : Math.sqrt(r)))
  return Object.freeze({
    config: Object.freeze({ rank, alpha, scaling, seed, sites: Object.freeze([...config.sites]) }),
    pairs: Object.freeze(pairs),
    scale,
    at(b: number) {
      anInteger('rank', b, 1, rank)
      const used = new Map(pairs.map(({ site, A, Bt }) => [site, { A, Bt, rank: b, scale: scale(b) }]))
      return (site: Site) => bySite.has(site) ? used.get(site) : undefined
    },
    parts(from: number, to: number, factors: 'both' | 'A' | 'B' = 'both') {
      anInteger('to', to, 1, rank)
      anInteger('from', from, 0, to - 1)
      const part = (tensor: Tensor) => ({ tensor: tensor.name, from, to, columns: tensor.columns })
      return pairs.flatMap(({ A, Bt }) => [...(factors === 'B' ? [] : [part(A)]), ...(factors === 'A' ? [] : [part(Bt)])])
    },
  })
}

/** The sites whose names are, or end with a dot and, one of the words. */
function matchSites(encoder: Encoder, words: readonly string[]): Site[] {
  if (!Array.isArray(words) || words.length === 0) {
    throw new RangeError(`"sites" expected at least one name, got ${show(words)}`)
  }
  for (const word of words) {
    if (!encoder.sites.some(site => matchesSite(site.name, word))) {
      const ends = [...new Set(encoder.sites.map(site => site.name.replace(/^.*?\.\d+\./, '')))]
      throw new RangeError(`"sites" expected names of linear layers of this ${encoder.architecture} model ` +
        `(ends of names: ${ends.join(', ')}), got ${show(word)}`)
    }
  }
  return encoder.sites.filter(site => words.some(word => matchesSite(site.name, word)))
}

/** Whether a name is, or ends with a dot and, the word: PEFT's rule for `target_modules`. */
export function matchesSite(name: string, word: string): boolean { return name === word || name.endsWith(`.${word}`) }

/** Uniform in [-1/sqrt(inputs), 1/sqrt(inputs)), from a stream of the site's own. */
function initialA(site: string, rank: number, inputs: number, seed: number): Float32Array {
  const stream = random('lora_A', seed, site)
  const bound = 1 / Math.sqrt(inputs)
  return Float32Array.from({ length: rank * inputs }, () => (2 * stream.uniform() - 1) * bound)
}
