/**
 * A membership-inference attack on a simulated training: half of a pool of clients is trained on, and the attacker, who
 * has the final model and every client's texts, tells who was in that half.
 *
 * Two attacks. `loss`: a client whose texts the model finds easy is a member (Yeom et al. 2018, arXiv 1709.01604).
 * `calibrated`: easier than other models do that were trained in the same way on other halves, which takes out how easy
 * the texts are in themselves (Carlini et al. 2022, arXiv 2112.03570, with one variance for all; Watson et al. 2021, arXiv
 * 2111.08440). The score of a text is ln(p / (1 - p)), p the probability of its label.
 * @module
 */
import { anInteger, aNumber, anOptions } from '../../assert.ts'
import type { Client } from '../../data/example.ts'
import { pldAccountant, privacyCurve } from '../../privacy/accountant/index.ts'
import { logSumExp } from '../../privacy/accountant/num/elementary.ts'
import { random } from '../../random.ts'
import type { Classifier } from '../../train/classifier.ts'
import { predict } from '../../train/step.ts'
import type { SimulationOptions } from '../options.ts'
import { simulateWith } from '../simulate.ts'
import type { RoundReport, SimulationResult } from '../simulate.ts'
import type { TokenizedPopulation } from '../tokens.ts'
import { rocOf } from './roc.ts'
import type { RocPoint, RocResult } from './roc.ts'

/** What an attack is made of. */
export interface MembershipOptions {
  /**
   * The training; `clients` is the pool, of which half are members. The cohort keeps its share of the clients. Privacy's
   * `population` and `noiseCohort` are not used: ε is what the members themselves are promised.
   */
  readonly simulation: SimulationOptions
  /** Models that the attacker trains on other halves of the pool; default 4, 0 leaves the calibrated attack out. */
  readonly references?: number
  /** Rates of false positives to report; default 0.01 and 0.1. */
  readonly fprs?: readonly number[]
  /** Of every interval; default 0.95. */
  readonly confidence?: number
  /** After each round of training number `model`, from 0, of `models`. */
  readonly onRound?: (report: RoundReport, model: number, models: number) => void
}

/** One attack on one model. */
export interface Attack extends RocResult {
  readonly name: 'loss' | 'calibrated'
}

/** What the attacks found; plain data. */
export interface MembershipResult {
  readonly kind: 'membership'
  readonly name: string
  readonly references: number
  readonly rounds: number
  readonly cohort: number
  /** Share of texts classified right: of the members, and of the others, whom the model never saw. */
  readonly accuracy: { readonly members: number, readonly nonMembers: number }
  /** What the members are promised; null without privacy. */
  readonly promise: {
    readonly epsilon: number
    readonly delta: number
    /** Noise on the sum, over the clip norm. */
    readonly noiseMultiplier: number
    /** The most that any attacker can reach, at some rates of false positives. */
    readonly limit: readonly RocPoint[]
  } | null
  readonly attacks: readonly Attack[]
}

/** Rates at which the promise's curve is drawn. */
const LIMIT_AT: readonly number[] = [0, 0.001, 0.01, 0.02, 0.05, ...Array.from({ length: 19 }, (_, i) => (i + 2) / 20)]

/**
 * Trains on half of a pool and attacks the model.
 *
 * @throws TypeError, RangeError for settings that cannot be; RangeError for a pool of fewer than 8
 */
export async function membershipAttack(options: MembershipOptions): Promise<MembershipResult> {
  anOptions('attack', options, ['simulation', 'references', 'fprs', 'confidence', 'onRound'])
  const { simulation, fprs = [0.01, 0.1], confidence = 0.95, onRound } = options
  const references = anInteger('references', options.references ?? 4, 0, 256)
  fprs.forEach((fpr, i) => aNumber(`fprs[${i}]`, fpr, 0, 1))
  const pool = simulation.clients
  if (pool.length < 8) throw new RangeError(`"simulation.clients" expected a pool of at least 8, got ${pool.length}`)
  const seed = simulation.seed ?? 0
  const models: (Trained & { readonly inside: readonly boolean[] })[] = []
  for (let model = 0; model <= references; model++) {
    const half = new Set(random(seed, 'members', model).shuffle(pool.map((_, i) => i)).slice(0, pool.length >> 1))
    const inside = pool.map((_, i) => half.has(i))
    const run = await trainOn(simulation, inside, seed + model, report => onRound?.(report, model, references + 1))
    models.push({ ...run, inside })
  }
  const [{ scores, inside, right, result }, ...others] = models
  const attack = (name: Attack['name'], values: Float64Array): Attack => Object.freeze({
    name, ...rocOf(values.filter((_, i) => inside[i]), values.filter((_, i) => !inside[i]), fprs, confidence),
  })
  const attacks = [attack('loss', scores)]
  if (others.length > 0) attacks.push(attack('calibrated', scores.map((score, i) => score - withoutClient(others, i))))
  return Object.freeze({
    kind: 'membership', name: simulation.name ?? simulation.method.kind, references,
    rounds: result.rounds.length, cohort: cohortOf(simulation),
    accuracy: { members: shareRight(pool, right, inside), nonMembers: shareRight(pool, right, inside.map(member => !member)) },
    promise: promiseOf(result), attacks,
  })
}

interface Trained {
  /** Score of each client of the pool. */
  readonly scores: Float64Array
  /** Texts of each that are classified right. */
  readonly right: readonly number[]
  readonly result: SimulationResult
}

/** Trains on the members and scores the whole pool. */
async function trainOn(
  simulation: SimulationOptions, inside: readonly boolean[], seed: number, onRound: (report: RoundReport) => void,
): Promise<Trained> {
  const pool = simulation.clients
  const members = pool.filter((_, i) => inside[i]), others = pool.filter((_, i) => !inside[i])
  const cohort = cohortOf(simulation)
  const { privacy, ...rest } = simulation
  const scores = new Float64Array(pool.length), right = new Array<number>(pool.length).fill(0)
  const run = simulateWith({
    ...rest, seed, clients: members, test: others.flatMap(({ examples }) => examples), cohort,
    ...(privacy && { privacy: { ...privacy, population: members.length, noiseCohort: cohort } }),
  }, {
    finished({ classifier }, people) {
      let test = 0
      let member = 0
      pool.forEach(({ examples }, i) => {
        const mine = inside[i] ? people.clients[member++] : people.test.slice(test, test += examples.length)
        const margins = marginsOf(classifier, people, mine)
        scores[i] = margins.reduce((sum, { score }) => sum + score, 0) / margins.length
        right[i] = margins.filter(margin => margin.right).length
      })
    },
  })
  for await (const report of run) onRound(report)
  return { scores, right, result: await run.result() }
}

/** Expected clients of a round: the same share of the members as of the pool. */
function cohortOf({ clients, cohort }: SimulationOptions): number {
  return Math.max(1, Math.round(cohort / clients.length * (clients.length >> 1)))
}

/** ln(p / (1 - p)) of each text's label, and whether the label is the likeliest. */
function marginsOf(classifier: Classifier, { store }: TokenizedPopulation, examples: readonly number[]): { score: number, right: boolean }[] {
  const { ids, offsets, targets } = store
  const columns = classifier.labels.length
  const logits = predict(classifier, classifier.pack(examples.map(e => ids.subarray(offsets[e], offsets[e + 1]))))
  return examples.map((e, row) => {
    const others = [...logits.subarray(row * columns, (row + 1) * columns)]
    const [own] = others.splice(targets[e], 1)
    return { score: own - logSumExp(others), right: own > Math.max(...others) }
  })
}

/** What models that never saw client i make of it; of all models, where every one saw it. */
function withoutClient(models: readonly (Trained & { readonly inside: readonly boolean[] })[], i: number): number {
  const blind = models.filter(({ inside }) => !inside[i])
  const used = blind.length > 0 ? blind : models
  return used.reduce((sum, { scores }) => sum + scores[i], 0) / used.length
}

function shareRight(pool: readonly Client[], right: readonly number[], chosen: readonly boolean[]): number {
  let texts = 0, hits = 0
  pool.forEach(({ examples }, i) => {
    if (!chosen[i]) return
    texts += examples.length
    hits += right[i]
  })
  return hits / texts
}

/** What the accountant says of the events that took place. */
function promiseOf({ privacy, rounds }: SimulationResult): MembershipResult['promise'] {
  if (privacy === undefined) return null
  const { unit, adjacency, delta, noiseMultiplier } = privacy
  const curve = privacyCurve(rounds.reduce((sum, { event }) => sum.compose(event), pldAccountant({ unit, adjacency })), delta)
  return Object.freeze({
    epsilon: curve.epsilon, delta, noiseMultiplier,
    limit: LIMIT_AT.map(fpr => ({ fpr, tpr: fpr === 1 ? 1 : Math.min(1, curve.truePositiveRate(fpr)) })),
  })
}
