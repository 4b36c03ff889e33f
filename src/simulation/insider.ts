/**
 * Who looks into a simulation from inside: audits, which plant clients of their own and see what is released.
 * @module
 */
import type { Plan } from '../federated/plan.ts'
import type { Task } from './task.ts'
import type { TokenizedPopulation } from './tokens.ts'

/** What an audit does in a simulation. Nothing here can change encoding, sum, noise or release. */
export interface Insider {
  /** Clients that are sampled like all others, but then are not there. */
  readonly absent?: ReadonlySet<number>
  /** Updates [plan.slice.length] of the chosen clients that do not train; they are encoded and added like any other. */
  updates?(plan: Plan, chosen: readonly number[]): ReadonlyMap<number, Float32Array>
  /** The noised mean update of a round: what everybody may see. */
  released?(plan: Plan, mean: Float32Array): void
  /** The trained model, and all texts as tokens. */
  finished?(task: Task, people: TokenizedPopulation): void
}
