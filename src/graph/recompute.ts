/**
 * Trades time for memory: activations of the first segments of a step are forgotten going forward, and computed again, with
 * the same bits, when the gradient comes back to them; what leads from one segment to the next is kept. Source: gradient
 * checkpointing (arXiv 1604.06174, section 4.1).
 * @module
 */
import type { At, Node, Value } from './value.ts'

/**
 * The nodes of the same step in which what was computed before node `until` is computed again when the way back needs it,
 * but for `kept`.
 *
 * @param given - values that no node writes: inputs; they stay
 */
export function recompute(
  nodes: readonly Node[], turn: number, until: number, kept: ReadonlySet<Value>, given: ReadonlySet<Value>,
): Node[] {
  const writers = new Map<Value, Set<number>>()
  nodes.slice(0, until).forEach((node, i) => {
    for (const value of node.outs) writers.set(value, (writers.get(value) ?? new Set()).add(i))
  })
  const again = new Map<Value, Value>()
  const name = (value: Value): Value => again.get(value) ?? value
  const renamed = (node: Node): Node => ({
    ...node, outs: node.outs.map(name), ins: node.ins.map(name), ...(node.absorbs && { absorbs: node.absorbs.map(name) }),
    run: (kernels, at: At, scratch) => node.run(kernels, value => at(name(value)), scratch),
  })
  const out = nodes.slice(0, turn)
  const ensure = (value: Value): void => {
    if (!writers.has(value) || kept.has(value) || given.has(value) || again.has(value) || value.fixed !== undefined) return
    // a node may write several values, and several nodes one value: all that hang together
    const group = new Set(writers.get(value))
    for (const i of group) for (const one of nodes[i].outs) for (const other of writers.get(one)!) group.add(other)
    const calls = [...group].sort((a, b) => a - b).map(i => nodes[i])
    for (const node of calls) for (const input of node.ins) if (!calls.some(call => call.outs.includes(input))) ensure(input)
    for (const node of calls) for (const one of node.outs) if (!kept.has(one)) again.set(one, { ...one })
    out.push(...calls.map(renamed))
  }
  for (const node of nodes.slice(turn)) {
    for (const value of node.ins) ensure(value)
    out.push(renamed(node))
  }
  return out
}
