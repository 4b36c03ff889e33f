/**
 * A step for several threads: its nodes' kernel calls, cut into pieces that write apart, in groups that may run at the same
 * time. A node joins the group of those before it where it reads nothing that they write and writes nothing that they use.
 * @module
 */
import type { Kernels } from '../wasm/instantiate.ts'
import type { Call } from '../wasm/program.ts'
import { KINDS, split } from '../wasm/split.ts'
import type { Team } from '../wasm/team.ts'
import type { At, Node, Value } from './value.ts'

/** Bytes from, to. */
type Range = readonly [number, number]

/** Pieces for each thread: with more of them, one that is held up holds the others up for less. */
const PIECES = 3

interface Recorder {
  readonly kernels: Kernels
  calls: { readonly name: string, readonly args: readonly number[] }[]
}

/** One for each team: kernels that compute nothing and write down how they are called. */
const recorders = new WeakMap<Team, Recorder>()

function recorderOf(team: Team): Recorder {
  let recorder = recorders.get(team)
  if (recorder === undefined) {
    const kernels: Record<string, (...args: number[]) => number> = {}
    const made: Recorder = recorder = { kernels, calls: [] }
    for (const name of team.kernel.keys()) kernels[name] = (...args) => made.calls.push({ name, args })
    recorders.set(team, recorder)
  }
  return recorder
}

/** Collects calls in groups. */
export class Schedule {
  readonly groups: Call[][] = []
  readonly #team: Team
  readonly #at: At
  readonly #scratch: number
  readonly #recorder: Recorder
  #group: Call[] = []
  #reads: Range[] = []
  #writes: Range[] = []

  constructor(team: Team, at: At, scratch: number) {
    this.#team = team
    this.#at = at
    this.#scratch = scratch
    this.#recorder = recorderOf(team)
  }

  /** Appends the calls of a node. */
  node(node: Node): void {
    this.#recorder.calls = []
    node.run(this.#recorder.kernels, this.#at, this.#scratch)
    const reads = node.ins.map(value => this.#range(value)), writes = node.outs.map(value => this.#range(value))
    this.#recorder.calls.forEach(({ name, args }, i) => {
      // calls of one node stand upon each other
      if (i > 0 || meet(writes, this.#reads) || meet(writes, this.#writes) || meet(reads, this.#writes)) this.#close()
      // a kernel that nobody has described has the scratch of the first thread, perhaps
      const kind = KINDS[name]
      if (kind === undefined) this.#close()
      this.#push(name, args, false)
      if (kind === undefined) return this.#close()
      this.#reads.push(...reads)
      this.#writes.push(...writes)
    })
  }

  /** Appends a check that all elements of a value are finite; true, since the answer comes when it runs. */
  check(value: Value): boolean {
    const range = this.#range(value)
    if (meet([range], this.#writes)) this.#close()
    this.#reads.push(range)
    this.#push('first_nonfinite', [this.#at(value), value.length], true)
    return true
  }

  /** The groups, complete. */
  end(): readonly (readonly Call[])[] {
    this.#close()
    return this.groups
  }

  #push(name: string, args: readonly number[], check: boolean): void {
    const { kernel: numbers, threads, least } = this.#team, kernel = numbers.get(name)!, kind = KINDS[name] ?? {}
    for (const piece of split(kind, args, threads * PIECES, least)) this.#group.push({ kernel, args: piece, scratch: kind.scratch ?? false, check })
  }

  #close(): void {
    if (this.#group.length > 0) this.groups.push(this.#group)
    this.#group = []
    this.#reads = []
    this.#writes = []
  }

  #range(value: Value): Range {
    const from = this.#at(value)
    return [from, from + value.length * 4]
  }
}

/** The groups of a step, kept as long as its memory is where it was when they were written down. */
export class KeptSchedule {
  #kept: { readonly team: Team, readonly base: number, readonly groups: readonly (readonly Call[])[] } | undefined

  /**
   * @param base - where the step's memory starts
   * @param write - writes the step down; true where it may be kept
   */
  groups(team: Team, at: At, base: number, scratch: number, write: (schedule: Schedule) => boolean): readonly (readonly Call[])[] {
    if (this.#kept?.team === team && this.#kept.base === base) return this.#kept.groups
    const schedule = new Schedule(team, at, scratch), keep = write(schedule), groups = schedule.end()
    this.#kept = keep ? { team, base, groups } : undefined
    return groups
  }
}

function meet(a: readonly Range[], b: readonly Range[]): boolean {
  return a.some(([from, to]) => b.some(other => from < other[1] && other[0] < to))
}
