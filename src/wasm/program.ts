/**
 * The kernel calls of a step as threads share them, and how each thread takes part.
 *
 * Calls stand in the order of the step. A thread takes the next call by counting `TICKET` up, waits until as many calls are
 * `DONE` as that one stands upon, and does it. Calls that stand on the same number may run at the same time; who runs which
 * changes no bit. A thread that has nothing to do sleeps.
 * @module
 */
import type { Kernels } from './instantiate.ts'

/** A kernel call: which one, with what. */
export interface Call {
  /** Number of the kernel in the list that all threads have. */
  readonly kernel: number
  readonly args: readonly number[]
  /** The last argument is scratch: each thread puts its own. */
  readonly scratch: boolean
  /** The call asks whether numbers are finite: an answer of 0 or more stops the step. */
  readonly check: boolean
}

/** What the threads share. Words that different threads write lie in different cache lines. */
export interface Program {
  /** Words of the protocol. */
  readonly words: Int32Array
  /** Where the scratch of thread 0 starts, and bytes of each thread's. */
  readonly scratch: Float64Array
  /** What went wrong in a thread, as UTF-16. */
  readonly message: Uint16Array
  /** The calls, SLOT numbers each. */
  readonly calls: Float64Array
}

/** Changes with every program, and at the end: sleeping threads look. */
export const EPOCH = 0
/** 1 while a program may be joined, plus 2 for each thread that takes part. */
export const GATE = 16
/** Calls taken. */
export const TICKET = 32
/** Calls done; FAILED more where the program was stopped. */
export const DONE = 48
/** Threads that sleep until DONE changes. */
export const SLEEPERS = 64
/** Calls of the program. */
export const COUNT = 80
/** What stopped the program: one of the OUTCOMEs. */
export const OUTCOME = 81
/** 1: the team has ended. */
export const CLOSED = 82
/** Units of `message` in use. */
export const MESSAGE = 83

/** OUTCOME: nothing; a check that failed; a kernel that failed. */
export const WELL = 0, NOT_FINITE = 1, BROKEN = 2

/** More than there are calls: added to DONE it ends all waiting. */
const FAILED = 1 << 30

/** Calls that a program holds; a longer step is several programs. */
export const CAPACITY = 4096

/** kernel, what it stands upon, flags, number of arguments, arguments. */
const SLOT = 20

/** Most arguments of a kernel. */
const MOST_ARGS = SLOT - 4

const WORDS = 96, MESSAGE_UNITS = 512
const BYTES = WORDS * 4 + 16 + MESSAGE_UNITS * 2 + CAPACITY * SLOT * 8

/** How often a thread looks before it sleeps: a few microseconds, about what it costs to be woken. */
const LOOKS = 2000

/** How long the leading thread waits at a time, in milliseconds, before it looks whether anything moves. */
const WAIT_MS = 250

/** A buffer for programs. */
export function newProgramBuffer(): SharedArrayBuffer { return new SharedArrayBuffer(BYTES) }

/** Views of a buffer of `newProgramBuffer`. */
export function programOf(buffer: SharedArrayBuffer): Program {
  let at = 0
  const take = <V>(View: new (buffer: SharedArrayBuffer, at: number, length: number) => V, length: number, size: number): V => {
    const view = new View(buffer, at, length)
    at += length * size
    return view
  }
  return {
    words: take(Int32Array, WORDS, 4), scratch: take(Float64Array, 2, 8),
    message: take(Uint16Array, MESSAGE_UNITS, 2), calls: take(Float64Array, CAPACITY * SLOT, 8),
  }
}

/** Writes call `i`, which stands upon the first `after` calls. */
export function writeCall({ calls }: Program, i: number, after: number, { kernel, args, scratch, check }: Call): void {
  if (args.length > MOST_ARGS) throw new RangeError(`"args" expected at most ${MOST_ARGS} numbers, got ${args.length}`)
  const at = i * SLOT
  calls[at] = kernel
  calls[at + 1] = after
  calls[at + 2] = (scratch ? 1 : 0) + (check ? 2 : 0)
  calls[at + 3] = args.length
  for (let j = 0; j < args.length; j++) calls[at + 4 + j] = args[j]
}

/**
 * Takes part in a program until no call is left or it is stopped.
 *
 * @param patience - milliseconds without any progress after which the others count as gone; undefined: waits for ever
 */
export function takePart(program: Program, kernels: readonly Kernels[string][], member: number, patience?: number): void {
  const { words, scratch, calls } = program
  const own = scratch[0] + member * scratch[1], count = Atomics.load(words, COUNT)
  const args: number[] = []
  let needed = 0
  for (;;) {
    const i = Atomics.add(words, TICKET, 1)
    if (i >= count) return
    const at = i * SLOT, after = calls[at + 1], flags = calls[at + 2]
    // what was waited for once stays done
    if (after > needed) {
      if (!waitUntilDone(words, after, patience)) return stopFor(program, gone(patience!))
      needed = after
    }
    if (Atomics.load(words, OUTCOME) !== WELL) return
    args.length = calls[at + 3]
    for (let j = 0; j < args.length; j++) args[j] = calls[at + 4 + j]
    if (flags & 1) args[args.length - 1] = own
    let answer: number
    try {
      answer = kernels[calls[at]](...args)
    } catch (error) {
      return stopFor(program, `threads expected all kernels to run, but one failed: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (flags & 2 && answer >= 0) return stop(words, NOT_FINITE)
    const done = Atomics.add(words, DONE, 1) + 1
    // only the end of a group can be waited for: there the next call stands upon all before it
    if ((done === count || calls[done * SLOT + 1] === done) && Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, DONE)
  }
}

/** Waits until `needed` calls are done, or the program was stopped; false where nothing moved for `patience` ms. */
export function waitUntilDone(words: Int32Array, needed: number, patience?: number): boolean {
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(words, DONE) >= needed) return true
  Atomics.add(words, SLEEPERS, 1)
  let done = Atomics.load(words, DONE)
  for (let waited = 0; done < needed && waited < (patience ?? 1);) {
    const woken = Atomics.wait(words, DONE, done, patience === undefined ? Infinity : Math.min(WAIT_MS, patience))
    const now = Atomics.load(words, DONE)
    waited = woken !== 'timed-out' || now !== done ? 0 : waited + WAIT_MS
    done = now
  }
  Atomics.sub(words, SLEEPERS, 1)
  return done >= needed
}

/** What a thread says that has waited for the others in vain. */
export const gone = (patience: number): string =>
  `threads expected to finish their part of the step, but nothing moved for ${patience} ms: a thread has ended; create a new engine`

/** Stops a program: whoever waits or comes for the next call leaves. The first reason stays. */
export function stop(words: Int32Array, outcome: number): void {
  if (Atomics.compareExchange(words, OUTCOME, WELL, outcome) === WELL) Atomics.add(words, DONE, FAILED)
  Atomics.notify(words, DONE)
}

/** Stops a program for an error, whose text all threads can read. */
export function stopFor({ words, message }: Program, text: string): void {
  // whoever comes first writes; the others' errors follow from it, or say the same
  if (Atomics.compareExchange(words, MESSAGE, 0, Math.min(text.length, MESSAGE_UNITS) || 1) === 0) {
    for (let i = 0; i < text.length && i < MESSAGE_UNITS; i++) message[i] = text.charCodeAt(i)
  }
  stop(words, BROKEN)
}

/** Joins the program that is open; false where none is. */
export function join(words: Int32Array): boolean {
  for (;;) {
    const gate = Atomics.load(words, GATE)
    if ((gate & 1) === 0) return false
    if (Atomics.compareExchange(words, GATE, gate, gate + 2) === gate) return true
  }
}

/** Leaves a program, and wakes the leading thread where it waits for the last. */
export function leave(words: Int32Array): void {
  if (Atomics.sub(words, GATE, 2) === 2) Atomics.notify(words, GATE)
}

/** Lets nobody join any more, and waits until all have left; false where one did not in `patience` ms. */
export function closeGate(words: Int32Array, patience: number): boolean {
  Atomics.and(words, GATE, ~1)
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(words, GATE) === 0) return true
  let gate = Atomics.load(words, GATE)
  for (let waited = 0; gate !== 0 && waited < patience; gate = Atomics.load(words, GATE)) {
    waited = Atomics.wait(words, GATE, gate, Math.min(WAIT_MS, patience)) === 'timed-out' ? waited + WAIT_MS : 0
  }
  return gate === 0
}
