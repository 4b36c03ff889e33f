/**
 * What every accountant has in common: it is a value that knows its neighbourhood and the events composed so far;
 * composing gives a new accountant; asking never changes it.
 * @module
 */
import { aNumber, anInteger } from '../../assert.ts'
import type { AtomicEvent, PrivacyEvent } from './event.ts'
import { anEvent } from './make-event.ts'
import { aNeighbourhood, type Adjacency, type Neighbourhood, type PrivacyUnit } from './neighbourhood.ts'

/** An event and how many times it took place. */
export interface Counted {
  readonly event: AtomicEvent
  readonly count: number
}

/** The event is real but this accountant has no sound bound for it. */
export class UnsupportedEventError extends Error {
  override readonly name = 'UnsupportedEventError'
  /** The part of the event that is the reason. */
  readonly event: PrivacyEvent

  constructor(accountant: string, event: PrivacyEvent, reason: string) {
    super(`the ${accountant} accountant cannot handle ${JSON.stringify(event)}: ${reason}`)
    this.event = event
  }
}

/** Turns events into ε and δ. Both answers are upper bounds, rounded up. */
export interface Accountant {
  readonly name: string
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
  /** The events so far, equal ones counted together, in the order of first appearance. */
  readonly history: readonly Counted[]
  /** Whether `compose` would accept the event. */
  supports(event: PrivacyEvent): boolean
  /** A new accountant with the event added `count` times. @throws {UnsupportedEventError} */
  compose(event: PrivacyEvent, count?: number): Accountant
  /** The smallest ε known to hold at this δ; Infinity when none is. */
  epsilon(delta: number): number
  /** The smallest δ known to hold at this ε >= 0. */
  delta(epsilon: number): number
}

/**
 * What the answers of closed forms and searches are multiplied by: the relative error of the double-precision arithmetic
 * behind them is well below 1e-12.
 */
export const ROUND_UP = 1 + 1e-12

/** What an accountant must supply: a check per atomic event, and the two answers, rounded up, from the whole history. */
export interface Method {
  readonly name: string
  /** @throws {UnsupportedEventError} when the event has no sound bound under this adjacency */
  check(event: AtomicEvent, adjacency: Adjacency): void
  epsilon(history: readonly Counted[], neighbourhood: Neighbourhood, delta: number): number
  delta(history: readonly Counted[], neighbourhood: Neighbourhood, epsilon: number): number
}

/** The atomic parts of an event with their counts, in order. */
export function atoms(event: PrivacyEvent, count = 1): Counted[] {
  switch (event.kind) {
    case 'none': return []
    case 'composed': return event.events.flatMap((part) => atoms(part, count))
    case 'self-composed': return atoms(event.event, count * event.count)
    default: return count === 0 ? [] : [{ event, count }]
  }
}

/** Adds events to a history; equal events are counted together. */
export function extend(history: readonly Counted[], added: readonly Counted[]): readonly Counted[] {
  const merged = new Map<string, Counted>(history.map((entry) => [JSON.stringify(entry.event), entry]))
  for (const { event, count } of added) {
    const key = JSON.stringify(event)
    merged.set(key, Object.freeze({ event, count: (merged.get(key)?.count ?? 0) + count }))
  }
  return Object.freeze([...merged.values()])
}

/** Makes an accountant of a method. */
export function accountantOf(method: Method, neighbourhood: Neighbourhood, history: readonly Counted[] = []): Accountant {
  const where = aNeighbourhood(neighbourhood)
  const known = Object.freeze([...history])
  const checkAll = (parts: readonly Counted[]): void => {
    for (const part of parts) method.check(part.event, where.adjacency)
  }
  return Object.freeze({
    name: method.name,
    unit: where.unit,
    adjacency: where.adjacency,
    history: known,
    supports(event: PrivacyEvent): boolean {
      try {
        checkAll(atoms(anEvent(event)))
        return true
      } catch (error) {
        if (error instanceof UnsupportedEventError) return false
        throw error
      }
    },
    compose(event: PrivacyEvent, count = 1): Accountant {
      const parts = atoms(anEvent(event), anInteger('count', count, 0))
      checkAll(parts)
      return accountantOf(method, where, extend(known, parts))
    },
    epsilon(delta: number): number {
      aNumber('delta', delta, 0, 1)
      if (known.some((entry) => entry.event.kind === 'non-private')) return delta === 1 ? 0 : Infinity
      return known.length === 0 || delta === 1 ? 0 : method.epsilon(known, where, delta)
    },
    delta(epsilon: number): number {
      aNumber('epsilon', epsilon, 0)
      if (known.some((entry) => entry.event.kind === 'non-private')) return 1
      return known.length === 0 ? 0 : Math.min(1, method.delta(known, where, epsilon))
    },
  })
}
