/**
 * What a round is to do, from public numbers alone: its slice, its plan, its event, and (in a simulation, from the seed)
 * who takes part. Whoever trains and whoever checks a training calls the same functions.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { hashOf } from '../canonical.ts'
import { makePlan } from '../federated/plan.ts'
import type { LocalTraining, Plan } from '../federated/plan.ts'
import { makeSlice } from '../peft/slice.ts'
import type { Slice, SlicePart } from '../peft/slice.ts'
import { gaussian, nonPrivate, poissonSampled } from '../privacy/accountant/index.ts'
import type { PrivacyEvent } from '../privacy/accountant/index.ts'
import { adaptiveClip, clipForRank, quantileNoise } from '../privacy/mechanism/index.ts'
import type { AdaptiveClip } from '../privacy/mechanism/index.ts'
import { random } from '../random.ts'
import { HEAD_BIAS, HEAD_WEIGHT } from '../train/classifier.ts'
import type { Method, ResolvedPrivacy } from './options.ts'

/** Clip norm of a run without privacy: larger than any update that trains well. */
const LOOSE_CLIP = 16

/** The settings that decide all plans of a run. */
export interface RoundSettings {
  readonly method: Method
  /** Expected clients a round, and how many there are. */
  readonly cohort: number
  readonly population: number
  readonly local: LocalTraining
  readonly privacy: ResolvedPrivacy | undefined
  readonly seed: number
  /** Hash of what is trained. */
  readonly task: string
  /** Everything that any round may train, at full rank. */
  readonly whole: Slice
}

/** The slice of a round, what its forward pass reads, and its rank; no rank in full fine-tuning. */
export interface RoundSlice {
  readonly slice: Slice
  readonly reads: Slice
  readonly rank: number | undefined
}

/** The seed of everything public: ranks, orders, dropout, rounding. 32 bytes in hexadecimal. */
export function publicSeedOf(seed: number): string { return hashOf({ purpose: 'public seed', seed }) }

/** The key of seeded noise. */
export function noiseKeyOf(seed: number): Uint8Array { return hexToBytes(hashOf({ purpose: 'noise', seed })) }

/** The clip norm that follows a quantile, before the first round; undefined where it stays. */
export function firstClip(privacy: ResolvedPrivacy | undefined): AdaptiveClip | undefined {
  return privacy?.adaptiveClip && adaptiveClip({ clip: privacy.clip, ...privacy.adaptiveClip })
}

/** The slice of a round. */
export function roundSlice({ method, seed, whole }: Pick<RoundSettings, 'method' | 'seed' | 'whole'>, round: number): RoundSlice {
  if (method.kind === 'full') return { slice: whole, reads: whole, rank: undefined }
  const most = whole.rank!
  if (method.kind === 'lora') {
    const factors = method.factors === 'alternate' ? (round % 2 === 1 ? 'B' : 'A') : method.factors ?? 'both'
    return { slice: rowsOf(whole, 0, most, factors), reads: whole, rank: most }
  }
  const draw = random(publicSeedOf(seed), 'rank', round)
  const rank = method.ranks ? method.ranks[draw.below(method.ranks.length)] : 1 + draw.below(most)
  const from = method.variant === 'row' ? rank - 1 : 0
  return { slice: rowsOf(whole, from, rank, method.factors ?? 'both'), reads: rowsOf(whole, 0, rank, 'both'), rank }
}

/** Rows of one or both factors of an adapter, and the head. */
function rowsOf(whole: Slice, from: number, to: number, factors: 'both' | 'A' | 'B'): Slice {
  const isHead = ({ tensor }: SlicePart) => tensor === HEAD_WEIGHT || tensor === HEAD_BIAS
  const taken = ({ tensor }: SlicePart) => factors === 'both' || tensor.endsWith(`.lora_${factors}`)
  return makeSlice([
    ...whole.parts.filter(part => !isHead(part) && taken(part)).map(part => ({ ...part, from, to })), ...whole.parts.filter(isHead),
  ], to)
}

/**
 * The plan of a round.
 *
 * @param clips - the clip norm's state, where it follows a quantile
 * @param state - hash of the values of `where.reads`
 */
export function planRound(settings: RoundSettings, where: RoundSlice, round: number, clips: AdaptiveClip | undefined, state: string): Plan {
  const { method, cohort, population, local, privacy, seed, task, whole } = settings
  const { slice, reads, rank } = where
  const base = clips?.clip ?? privacy?.clip ?? LOOSE_CLIP
  const clip = privacy?.clipRule === undefined || method.kind === 'full' || rank === undefined ? base
    : clipForRank({ clip: base, rule: privacy.clipRule, rank, maxRank: whole.rank! })
  // the imitated deployment divides its noise by its own cohort
  const noiseMultiplier = privacy ? privacy.noiseMultiplier * cohort / privacy.noiseCohort : 0
  const capacity = Math.min(population, cohort + Math.ceil(6 * Math.sqrt(cohort)) + 2)
  return makePlan({
    round, task, state, slice, reads, local, publicSeed: publicSeedOf(seed), clip, cohort, capacity, noiseMultiplier,
    quantile: clips && { noise: quantileNoise(cohort, noiseMultiplier) },
  })
}

/** The event of the deployment that is imitated: its noise on its own cohort, its sampling from its own population. */
export function eventOfRound({ privacy, cohort }: Pick<RoundSettings, 'privacy' | 'cohort'>, { lattice }: Plan): PrivacyEvent {
  if (privacy === undefined) return nonPrivate()
  const { samplingRate, noiseCohort } = privacy
  return poissonSampled({ samplingRate, event: gaussian({ noiseMultiplier: lattice.achievedNoiseMultiplier * noiseCohort / cohort }) })
}

/**
 * Who takes part: independent coins of the seed, and at most as many as the lattice holds. Secret in a deployment.
 *
 * @param absent - clients that are sampled but then are not there
 * @returns numbers of clients, ascending
 */
export function drawClients(
  { seed, cohort, population }: Pick<RoundSettings, 'seed' | 'cohort' | 'population'>, { round, lattice }: Plan, absent?: ReadonlySet<number>,
): number[] {
  const draw = random(seed, 'sampling', round)
  const rate = cohort / population
  return Array.from({ length: population }, (_, i) => i).filter(i => draw.uniform() < rate && !absent?.has(i)).slice(0, lattice.capacity)
}
