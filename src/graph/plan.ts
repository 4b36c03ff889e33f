/**
 * Places the values of a step in one block: a value has an address from the node that first writes it to the node that
 * last uses it, and values that are not alive at the same time share addresses. Greedy, first fit by offset.
 * @module
 */
import type { Node, Value } from './value.ts'

/** Offsets in a block, and its size. */
export interface Plan {
  readonly offsets: ReadonlyMap<Value, number>
  /** Bytes of the block. */
  readonly bytes: number
  /** Offset of the scratch area, at the end. */
  readonly scratch: number
  /** Bytes of the scratch area; each thread of a team has one, one after another. */
  readonly scratchBytes: number
}

const ALIGN = 64

/**
 * @param pinned - values that live through the whole step: inputs, and results that are read afterwards
 */
export function planMemory(nodes: readonly Node[], pinned: ReadonlySet<Value>): Plan {
  const last = new Map<Value, number>()
  nodes.forEach((node, i) => {
    for (const value of node.ins) last.set(value, i)
    for (const value of node.outs) last.set(value, i)
  })
  const offsets = new Map<Value, number>()
  let live: { value: Value, start: number, end: number, last: number }[] = []
  let bytes = 0, scratch = 0
  const place = (value: Value, until: number) => {
    const size = Math.ceil(value.length * 4 / ALIGN) * ALIGN
    let start = 0, at = 0
    for (; at < live.length && live[at].start - start < size; at++) start = Math.max(start, live[at].end)
    live.splice(at, 0, { value, start, end: start + size, last: until })
    offsets.set(value, start)
    bytes = Math.max(bytes, start + size)
  }
  for (const value of pinned) if (value.fixed === undefined) place(value, Infinity)
  nodes.forEach((node, i) => {
    scratch = Math.max(scratch, node.scratch)
    for (const value of node.outs) {
      if (value.fixed === undefined && !offsets.has(value)) place(value, last.get(value)!)
    }
    for (const value of node.ins) {
      if (value.fixed === undefined && !offsets.has(value)) {
        throw new Error(`plan expected each value that "${node.op}" of "${node.layer}" reads to be written ` +
          `before it, got one that is not`)
      }
    }
    live = live.filter(entry => entry.last > i)
  })
  const scratchBytes = Math.ceil(scratch / ALIGN) * ALIGN
  return { offsets, bytes: bytes + scratchBytes, scratch: bytes, scratchBytes }
}
