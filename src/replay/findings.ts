/**
 * What a verification found: where things differ, what was checked, and what was not and why.
 * @module
 */

/** What is checked, in the order in which it is told. */
export const CHECKS = ['transcript', 'files', 'ledger', 'model', 'start', 'data', 'plans', 'clients', 'contributions', 'training',
  'noise', 'releases', 'states', 'trained model', 'accuracy'] as const

export type CheckName = typeof CHECKS[number]

/** One thing that is not as the transcript says, or not as it follows from what came before. */
export interface Difference {
  readonly check: CheckName
  /** Where it is, as far as it is known. */
  readonly round?: number | undefined
  /** The client's number in the population, from 0. */
  readonly client?: number | undefined
  readonly tensor?: string | undefined
  readonly row?: number | undefined
  readonly column?: number | undefined
  /** A sentence: what was expected and what came. */
  readonly message: string
}

/** One check and how it ended. */
export interface Check {
  readonly name: CheckName
  readonly outcome: 'equal' | 'differs' | 'not checked'
  /** How many things were equal. */
  readonly count: number
  /** What was left out, and why; empty where nothing was. */
  readonly note: string
}

/** Gathers findings. */
export class Findings {
  #differences: Difference[] = []
  #counts = new Map<CheckName, number>()
  #notes = new Map<CheckName, string>()

  get differences(): readonly Difference[] { return this.#differences }

  /** Something was as it should be. */
  equal(name: CheckName, count = 1): void { this.#counts.set(name, (this.#counts.get(name) ?? 0) + count) }

  /** Something was not. */
  differs(difference: Difference): void { this.#differences.push(Object.freeze(difference)) }

  /** Something could not be checked; the first reason is kept. */
  left(name: CheckName, why: string): void { if (!this.#notes.has(name)) this.#notes.set(name, why) }

  /** Counts where a condition holds, and else says what differs. */
  expect(condition: boolean, difference: Difference): boolean {
    if (condition) this.equal(difference.check)
    else this.differs(difference)
    return condition
  }

  /** Says what differs where a condition fails; what is equal goes uncounted. */
  require(condition: boolean, difference: Difference): void { if (!condition) this.differs(difference) }

  /** All checks, in their order. */
  checks(): Check[] {
    return CHECKS.map(name => {
      const count = this.#counts.get(name) ?? 0
      const outcome = this.#differences.some(({ check }) => check === name) ? 'differs' : count > 0 ? 'equal' : 'not checked'
      return Object.freeze({ name, outcome, count, note: this.#notes.get(name) ?? '' })
    })
  }

  /** The difference that comes first in the training: by round, and within a round in the order found. */
  first(): Difference | undefined {
    const at = ({ round }: Difference) => round ?? Infinity
    return [...this.#differences].sort((a, b) => (at(a) === at(b) ? 0 : at(a) - at(b)))[0]
  }
}
