/**
 * A one-run audit of a whole simulated training (Steinke, Nasr and Jagielski 2023, arXiv 2305.08846): many canary
 * clients, each in or out by a fair coin, and one training. What they send passes the same encoding, sum, noise and
 * release as everybody's. Whoever then tells those that were in from those that were out better than the claimed ε allows
 * has refuted the claim.
 *
 * A canary's update is a fresh random direction of full clip norm in each round: the worst that a client can send
 * (Andrew et al. 2023, arXiv 2302.03098). Its score is the inner product of its directions with the released means.
 * @module
 */
import { aNumber, anInteger, anOptions } from '../../assert.ts'
import type { Client } from '../../data/example.ts'
import type { Plan } from '../../federated/plan.ts'
import { auditOneRun } from '../../privacy/accountant/index.ts'
import { random } from '../../random.ts'
import type { SimulationOptions } from '../options.ts'
import { simulateWith } from '../simulate.ts'
import type { RoundReport } from '../simulate.ts'

/** What an audit is made of. */
export interface CanaryAuditOptions {
  /**
   * The training, with `privacy`. Its `population` and `noiseCohort` are not used: the audit claims what the simulated
   * clients themselves are promised, canaries included.
   */
  readonly simulation: SimulationOptions
  /** How many; some hundreds. The more, the larger the ε that can be refuted. */
  readonly canaries: number
  /** Chance that a correct mechanism is accused, of each of the two bounds; default 0.05. */
  readonly significance?: number
  /** What is claimed; default: what the accountant says of the events. */
  readonly claim?: { readonly epsilon: number, readonly delta: number }
  readonly onRound?: (report: RoundReport) => void
}

/** What an audit found; plain data. */
export interface CanaryAudit {
  readonly kind: 'one-run canaries'
  readonly canaries: number
  readonly inside: number
  readonly outside: number
  readonly rounds: number
  /** Clients, canaries included, and the expected number in a round. */
  readonly population: number
  readonly cohort: number
  readonly claimed: { readonly epsilon: number, readonly delta: number }
  /**
   * Lower bounds of ε at the claimed δ, each wrong with a chance of at most `significance`. `dp` holds for every
   * mechanism; `gaussian` for those whose curve is the Gaussian's, as it is without sampling.
   */
  readonly atLeast: { readonly dp: number, readonly gaussian: number }
  readonly significance: number
  /** True where the `dp` bound is above the claim. */
  readonly refuted: boolean
  /** Scores: 1 is what a canary that was in scores on average, 0 one that was out. */
  readonly scores: { readonly inside: readonly number[], readonly outside: readonly number[] }
}

/**
 * Trains once with canaries and bounds ε from below.
 *
 * @throws TypeError, RangeError for settings that cannot be, or without privacy
 */
export async function auditTraining(options: CanaryAuditOptions): Promise<CanaryAudit> {
  anOptions('audit', options, ['simulation', 'canaries', 'significance', 'claim', 'onRound'])
  const { simulation, significance = 0.05, claim, onRound } = options
  const canaries = anInteger('canaries', options.canaries, 8, 100_000)
  aNumber('significance', significance, 1e-12, 0.5)
  const { privacy, clients, seed = 0 } = simulation
  if (privacy === undefined) throw new RangeError('"simulation.privacy" expected settings, got none; without noise there is nothing to audit')
  const guests: Client[] = Array.from({ length: canaries }, (_, i) => ({ id: `canary ${i}`, examples: [clients[0].examples[0]] }))
  const population = clients.length + canaries
  const cohort = Math.max(1, Math.round(simulation.cohort / clients.length * population))
  const coin = random(seed, 'canaries')
  const absent = new Set(guests.flatMap((_, i) => coin.u32() % 2 === 0 ? [clients.length + i] : []))
  const rate = cohort / population
  const sums = new Float64Array(canaries)
  let expected = 0
  const run = simulateWith({
    ...simulation, clients: [...clients, ...guests], cohort,
    privacy: { ...privacy, population, noiseCohort: cohort },
  }, {
    absent,
    updates: (plan, chosen) => new Map(chosen.filter(who => who >= clients.length).map(who =>
      [who, Float32Array.from(directionOf(plan, seed, who - clients.length))] as const)),
    released(plan, mean) {
      for (let i = 0; i < canaries; i++) {
        const direction = directionOf(plan, seed, i)
        let product = 0
        for (let k = 0; k < mean.length; k++) product += mean[k] * direction[k]
        sums[i] += product
      }
      expected += plan.lattice.clip * plan.lattice.clip * rate / cohort
    },
  })
  for await (const report of run) onRound?.(report)
  const result = await run.result()
  const delta = claim?.delta ?? privacy.delta
  const claimed = { epsilon: claim?.epsilon ?? result.epsilon!, delta }
  const scores: { inside: number[], outside: number[] } = { inside: [], outside: [] }
  sums.forEach((sum, i) => { scores[absent.has(clients.length + i) ? 'outside' : 'inside'].push(sum / expected) })
  const bound = (method: 'dp' | 'gaussian') => auditOneRun(scores, { significance, delta, method })
  const atLeast = { dp: bound('dp'), gaussian: bound('gaussian') }
  return Object.freeze({
    kind: 'one-run canaries', canaries, inside: scores.inside.length, outside: scores.outside.length,
    rounds: result.rounds.length, population, cohort, claimed, atLeast, significance,
    refuted: atLeast.dp > claimed.epsilon, scores,
  })
}

/** A canary's update in a round: random signs, of the clip norm's length. */
function directionOf({ slice, lattice, round }: Plan, seed: number, canary: number): Float64Array {
  const size = lattice.clip / Math.sqrt(slice.length)
  const out = new Float64Array(slice.length)
  const source = random(seed, 'canary', round, canary)
  for (let at = 0; at < out.length; at += 32) {
    const bits = source.u32()
    for (let k = 0; k < 32 && at + k < out.length; k++) out[at + k] = (bits >>> k & 1) === 0 ? size : -size
  }
  return out
}
