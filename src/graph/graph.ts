/**
 * A step as a list of kernel calls. Operations append their node going forward and say how to go back; `backward`
 * appends the nodes of the gradient; `run` plans the memory of all of it and executes. Values on the way to no gradient
 * are forgotten as soon as they are used, and nothing is differentiated that no parameter needs.
 * @module
 */
import type { Engine } from '../wasm/engine.ts'
import type { Team } from '../wasm/team.ts'
import { explain } from './explain.ts'
import { planMemory } from './plan.ts'
import type { Plan } from './plan.ts'
import { KeptSchedule } from './schedule.ts'
import { recompute } from './recompute.ts'
import { frozenPrefix, segments } from './segments.ts'
import type { At, Node, Value } from './value.ts'

interface Entry {
  readonly outs: readonly Value[]
  readonly back: () => void
}

/** Where a gradient is collected over several graphs, and whether one of them has written it already. */
export interface Place {
  readonly ptr: number
  readonly started: boolean
}

/** Builds and runs one step. */
export class Graph {
  readonly engine: Engine
  #nodes: Node[] = []
  #entries: Entry[] = []
  #inputs = new Map<Value, Int32Array | Float32Array>()
  #pinned = new Set<Value>()
  #grads = new Map<Value, Value>()
  /** The values whose gradient an array is: more than one where a sum was passed, until one of them adds to it. */
  #holders = new Map<Value, Set<Value>>()
  /** Values that have been gone back through: nobody reads their gradient any more. */
  #done = new Set<Value>()
  /** Where the gradients of parameters go, if not into the step's own memory. */
  #places = new Map<Value, Place>()
  #plan: Plan | undefined
  /** Index of the first node of the way back. */
  #turn = 0
  #shared = new KeptSchedule()
  /** Values that a node reads or the caller does: of any other, a NaN would go unseen. */
  #used: Set<Value> | undefined

  constructor(engine: Engine) {
    this.engine = engine
  }

  /** A value that a node of this step will write. */
  value(shape: readonly number[], trains: boolean): Value {
    return { shape, length: shape.reduce((product, size) => product * size, 1), fixed: undefined, trains }
  }

  /** Room for bytes that are no f32, which a node of this step will write. */
  room(count: number): Value {
    const length = Math.ceil(count / 4)
    return { shape: [length], length, fixed: undefined, trains: false, opaque: true }
  }

  /** Gives a value of this step another shape, while the graph is being built. */
  resize(value: Value, shape: readonly number[]): void {
    if (this.#plan) throw new Error('graph expected no other shapes once it is planned, got one')
    Object.assign(value, { shape, length: shape.reduce((product, size) => product * size, 1) })
  }

  /** A value outside the step, e.g. a weight. */
  fixed(ptr: number, shape: readonly number[], trains = false): Value {
    return { shape, length: shape.reduce((product, size) => product * size, 1), fixed: ptr, trains }
  }

  /** Numbers given from outside, e.g. token ids; copied in when the step runs. */
  input(data: Int32Array | Float32Array, shape: readonly number[] = [data.length]): Value {
    const value = this.value(shape, false)
    if (value.length !== data.length) {
      throw new RangeError(`"input" expected ${value.length} numbers for the shape [${shape.join(', ')}], got ${data.length}`)
    }
    this.#inputs.set(value, data)
    this.#pinned.add(value)
    return value
  }

  /** Gives an input other numbers, as many; nothing that was made of the old ones at building may depend on them. */
  replace(data: Int32Array | Float32Array, next: Int32Array | Float32Array): void {
    for (const [value, old] of this.#inputs) if (old === data) this.#inputs.set(value, next)
  }

  /** The numbers of an input, before the step has run; undefined where the value is none. */
  given(value: Value): Int32Array | Float32Array | undefined {
    return this.#inputs.get(value)
  }

  /** Has the gradient of `value`, which is used once, written to a place outside the graph, or added to what is there. */
  collect(value: Value, place: Place): void {
    this.#places.set(value, place)
  }

  /** Appends a kernel call. */
  node(node: Omit<Node, 'scratch'> & { scratch?: number }): void {
    this.#nodes.push({ scratch: 0, ...node })
  }

  /** Says how to go back from `outs`; called only if the gradient of one of them is wanted. */
  onBackward(outs: readonly Value[], back: () => void): void {
    if (outs.some(value => value.trains)) this.#entries.push({ outs, back })
  }

  /** Keeps a value readable when the step has run. */
  keep(value: Value): Value {
    this.#pinned.add(value)
    return value
  }

  /** The gradient collected so far, or undefined where nothing flowed back. */
  gradient(value: Value): Value | undefined {
    return this.#grads.get(value)
  }

  /**
   * Adds to the gradient of `value`: `emit` appends the node that writes `into`, or adds to it where `accumulate`.
   * Contributions come in the reverse order of use. `shape` differs from the value's own where only some rows train.
   */
  addGradient(value: Value, emit: (into: Value, accumulate: boolean) => void, shape = value.shape): void {
    if (!value.trains) return
    const before = this.#grads.get(value), place = this.#places.get(value)
    if (before === undefined) {
      const into = place ? this.fixed(place.ptr, shape) : this.value(shape, false)
      this.#hold(value, into)
      emit(into, place?.started ?? false)
      return
    }
    // its order of summation would depend on how the batch is cut
    if (place) throw new Error('graph expected a collected gradient to be added to once, got a parameter that is used twice')
    emit(this.#own(value, before), true)
  }

  /** As `addGradient`, for kernels that cannot accumulate. */
  addGradientBySum(value: Value, layer: string, emit: (into: Value) => void): void {
    this.addGradient(value, (into, accumulate) => {
      if (!accumulate) return emit(into)
      const term = this.value(value.shape, false)
      emit(term)
      this.node({
        op: 'add', layer, outs: [into], ins: [into, term],
        run: (k, at) => k['add'](at(into), at(into), at(term), into.length),
      })
    })
  }

  /**
   * Adds `gradient` to that of each value (the terms of a sum: one value may come twice). A value that has none yet takes
   * the array itself: no copy is made until one of its holders adds to it.
   */
  shareGradient(values: readonly Value[], gradient: Value, layer: string): void {
    for (const value of values) {
      if (!value.trains) continue
      const before = this.#grads.get(value)
      if (before === undefined) {
        this.#hold(value, gradient)
        continue
      }
      const into = this.#own(value, before)
      this.node({
        op: 'add', layer, outs: [into], ins: [into, gradient],
        run: (k, at) => k['add'](at(into), at(into), at(gradient), into.length),
      })
    }
  }

  #hold(value: Value, gradient: Value): void {
    const holders = this.#holders.get(gradient)
    if (holders) holders.add(value)
    else this.#holders.set(gradient, new Set([value]))
    this.#grads.set(value, gradient)
  }

  /** The gradient of `value` as an array that may be written: a copy where another value's reader is still to come. */
  #own(value: Value, gradient: Value): Value {
    const holders = this.#holders.get(gradient)!
    // neither what lies outside the step nor what was given to it is ever written
    let alone = gradient.fixed === undefined && !this.#inputs.has(gradient)
    for (const other of holders) if (other !== value && !this.#done.has(other)) alone = false
    if (alone) return gradient
    const copy = this.value(gradient.shape, false)
    this.node({
      op: 'copy', layer: '', outs: [copy], ins: [gradient],
      run: (k, at) => k['copy'](at(copy), at(gradient), copy.length),
    })
    holders.delete(value)
    this.#hold(value, copy)
    return copy
  }

  /** Appends the nodes of the gradient, from a value whose gradient is `seed` (written by a node or an input). */
  backward(from: Value, seed: Value): void {
    this.#turn = this.#nodes.length
    this.#hold(from, seed)
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { outs, back } = this.#entries[i]
      if (outs.some(value => this.#grads.has(value))) back()
      for (const value of outs) this.#done.add(value)
    }
    this.#entries = []
  }

  /** The value in which all ends that is the same in every step on the same inputs; undefined where none is worth keeping. */
  frozenPrefix(): Value | undefined { return frozenPrefix(this.#nodes, this.#turn) }

  /** Takes what `frozenPrefix` gave as known, and leaves out what computes it. */
  startFrom(value: Value, data: Float32Array): void {
    let written = this.#turn
    while (!this.#nodes[written - 1].outs.includes(value)) written--
    this.#nodes = this.#nodes.slice(written)
    this.#turn -= written
    const read = new Set(this.#nodes.flatMap(node => node.ins))
    for (const input of this.#inputs.keys()) {
      if (read.has(input)) continue
      this.#inputs.delete(input)
      this.#pinned.delete(input)
    }
    this.#inputs.set(value, data)
    this.#pinned.add(value)
  }

  /** Bytes of memory that running it takes. Nothing can be appended afterwards. */
  get bytes(): number {
    const { bytes, scratchBytes } = this.#planned()
    return bytes + ((this.engine.team?.threads ?? 1) - 1) * scratchBytes
  }

  /** Computes as many activations again on the way back as it takes to need at most `bytes`, or the least that there is. */
  fit(bytes: number): void {
    const nodes = this.#nodes, given = new Set(this.#inputs.keys()), kept = new Set<Value>()
    for (const { after, value } of segments(nodes, this.#turn)) {
      if (this.bytes <= bytes) return
      kept.add(value)
      const next = recompute(nodes, this.#turn, after + 1, kept, given), plan = planMemory(next, this.#pinned)
      if (plan.bytes >= this.#planned().bytes) continue
      this.#nodes = next
      this.#plan = plan
      this.#shared = new KeptSchedule()
    }
  }

  #planned(): Plan {
    this.#plan ??= planMemory(this.#nodes, this.#pinned)
    return this.#plan
  }

  /**
   * Plans, runs, and hands a reader to `after`; then all memory of the step is given back. It may run again, with other
   * numbers (`replace`).
   *
   * @throws NumericError naming operation and layer where an output is not finite; nothing outside the step changed.
   */
  run<R>(after: (read: (value: Value) => Float32Array, at: (value: Value) => number) => R): R {
    const { kernels, arena, team } = this.engine
    const plan = this.#planned()
    return arena.frame(this.bytes, base => {
      const at: At = value => {
        if (value.fixed !== undefined) return value.fixed
        return base + plan.offsets.get(value)!
      }
      for (const [value, data] of this.#inputs) {
        const view = data instanceof Int32Array ? arena.i32(at(value), data.length) : arena.f32(at(value), data.length)
        view.set(data)
      }
      const scratch = base + plan.scratch
      const finite = (value: Value) => kernels['first_nonfinite'](at(value), value.length) < 0
      if (!(team ? this.#runShared(team, at, base) : this.#each(node => { node.run(kernels, at, scratch) }, finite))) explain(this.engine, this.#nodes, at, scratch)
      return after(value => arena.f32(at(value), value.length).slice(), at)
    })
  }

  /** Goes through the step: each node, and the values that must be finite. False where `finite` says that one is not. */
  #each(run: (node: Node) => void, finite: (value: Value) => boolean): boolean {
    const used = this.#used ??= new Set([...this.#pinned, ...this.#nodes.flatMap(node => node.ins)])
    for (const node of this.#nodes) {
      if (node.absorbs?.every(finite) === false) return false
      run(node)
      if (!node.outs.every(value => used.has(value) || value.opaque || finite(value))) return false
    }
    // what no kernel swallows has come through to the results
    for (const value of this.#pinned) if (!this.#inputs.has(value) && !finite(value)) return false
    return true
  }

  /** The same on all threads of a team. */
  #runShared(team: Team, at: At, base: number): boolean {
    const { scratch, scratchBytes } = this.#planned()
    const groups = this.#shared.groups(team, at, base, base + scratch, schedule => {
      this.#each(node => schedule.node(node), value => schedule.check(value))
      return !this.engine.tiles.timing
    })
    return team.run(groups, { base: base + scratch, bytes: scratchBytes })
  }
}
