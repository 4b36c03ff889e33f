/**
 * Segments of a step: they end where a single array leads on to all the rest (in a transformer: between layers).
 * @module
 */
import type { Node, Value } from './value.ts'

/** The end of a segment. */
export interface End {
  /** Index of the last node. */
  readonly after: number
  readonly value: Value
}

/**
 * Where segments end: after node `after`, going on needs `value` alone of all that the step has computed.
 *
 * @param turn - index of the first node of the way back
 */
export function segments(nodes: readonly Node[], turn: number): End[] {
  const last = new Map<Value, number>()
  for (let i = 0; i < turn; i++) for (const value of nodes[i].ins) last.set(value, i)
  const ends: End[] = []
  const live = new Set<Value>()
  for (let i = 0; i < turn; i++) {
    for (const value of nodes[i].outs) live.add(value)
    for (const value of live) if ((last.get(value) ?? i) <= i) live.delete(value)
    if (live.size === 1) {
      const [value] = live
      // of several places at which the same array is all there is, the first
      if (ends.at(-1)?.value !== value) ends.push({ after: i, value })
    }
  }
  return ends
}

/**
 * The last value in which a segment ends and that neither training nor dropout changes: on the same inputs it is the same in
 * every step. Undefined where there is none that is worth keeping.
 */
export function frozenPrefix(nodes: readonly Node[], turn: number): Value | undefined {
  const end = nodes.findIndex(node => node.varies || node.outs.some(value => value.trains))
  const found = segments(nodes, turn).filter(({ after }) => after < end).at(-1)
  // a lookup in a table is as good as one in a cache
  return found && nodes.slice(0, found.after).some(node => node.op === 'linear_forward') ? found.value : undefined
}
