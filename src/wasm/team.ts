/**
 * Threads that share the work of one step, over one memory. The leading thread writes the step's kernel calls down, in pieces
 * that write apart, and takes part like the others. No element's sum changes its order, so the bits are those of one thread.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import type { Kernels } from './instantiate.ts'
import type { TeamAnswer, TeamHello } from './member.ts'
import {
  BROKEN, CAPACITY, CLOSED, closeGate, COUNT, DONE, EPOCH, GATE, gone, MESSAGE, newProgramBuffer, NOT_FINITE, OUTCOME, programOf, stopFor,
  takePart, TICKET, waitUntilDone, WELL, writeCall,
} from './program.ts'
import type { Call } from './program.ts'
import { LEAST } from './split.ts'
import type { Tiles } from './tuning.ts'

/** Threads of one engine, its own included. */
export interface Team {
  readonly threads: number
  /** Nanoseconds that a piece of a call takes at least, where it can be cut. */
  readonly least: number
  /** Number of a kernel by name. */
  readonly kernel: ReadonlyMap<string, number>
  /**
   * Runs groups of calls: the calls of a group at the same time, one group after another.
   *
   * @param scratch - where the scratch of the first thread starts, and bytes of each
   * @returns false where a check found a number that is not finite; then not all calls have run
   * @throws Error where a thread failed or has ended; the team cannot be used again then
   */
  run(groups: Iterable<readonly Call[]>, scratch: { readonly base: number, readonly bytes: number }): boolean
  /** Ends the threads. */
  close(): void
}

/** Most threads of a team. */
export const MOST_THREADS = 64

/** Milliseconds without progress in a step after which a thread counts as gone. */
const PATIENCE = 30_000

/** True where this thread may sleep until another wakes it: not the main thread of a page. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0)
    return true
  } catch {
    return false
  }
}

/** Starts `threads - 1` threads beside this one. If one cannot start, none is left. */
export async function openTeam(
  host: Host, kernels: Kernels, memory: WebAssembly.Memory, threads: number,
  { tiles = {} }: { tiles?: Partial<Tiles> | undefined } = {},
): Promise<Team> {
  const names = Object.keys(kernels).filter(name => typeof kernels[name] === 'function')
  const buffer = newProgramBuffer(), channels: Channel[] = []
  const end = () => {
    const { words } = programOf(buffer)
    Atomics.store(words, CLOSED, 1)
    Atomics.add(words, EPOCH, 1)
    Atomics.notify(words, EPOCH)
    for (const channel of channels) channel.close()
  }
  let lost: string | undefined
  try {
    await Promise.all(Array.from({ length: threads - 1 }, (_, i) => new Promise<void>((resolve, reject) => {
      const channel = host.threads!.spawn()
      channels.push(channel)
      channel.onError(error => {
        lost ??= error.message
        reject(error)
      })
      channel.onMessage((answer: TeamAnswer) => 'ready' in answer ? resolve() : reject(new Error(answer.error)))
      const hello: TeamHello = { team: { memory, buffer, member: i + 1, names, tiles } }
      channel.post(hello)
    })))
  } catch (error) {
    end()
    throw error
  }
  return lead(buffer, names, kernels, threads, PATIENCE, end, () => lost)
}

/** The leading thread's side, over threads that serve `buffer`. */
export function lead(
  buffer: SharedArrayBuffer, names: readonly string[], kernels: Kernels, threads: number, patience: number,
  end: () => void, lost: () => string | undefined = () => undefined,
): Team {
  const program = programOf(buffer), { words } = program, byNumber = names.map(name => kernels[name])
  let over: string | undefined

  /** Runs the calls that are written. */
  const runWritten = (count: number): boolean => {
    for (const [word, value] of [[TICKET, 0], [DONE, 0], [OUTCOME, WELL], [MESSAGE, 0], [COUNT, count], [GATE, 1]]) Atomics.store(words, word, value)
    Atomics.add(words, EPOCH, 1)
    Atomics.notify(words, EPOCH)
    takePart(program, byNumber, 0, patience)
    if (!waitUntilDone(words, count, patience) || !closeGate(words, patience)) stopFor(program, gone(patience))
    const outcome = Atomics.load(words, OUTCOME)
    if (outcome !== BROKEN) return outcome !== NOT_FINITE
    const { message } = program
    over = String.fromCharCode(...message.subarray(0, Atomics.load(words, MESSAGE)))
    end()
    throw new Error(over)
  }

  return Object.freeze({
    threads, least: LEAST,
    kernel: new Map(names.map((name, i) => [name, i])),
    run(groups: Iterable<readonly Call[]>, scratch: { readonly base: number, readonly bytes: number }) {
      const reason = lost()
      over ??= reason && `threads expected to live as long as the engine, but one has ended: ${reason}; create a new engine`
      if (over !== undefined) throw new Error(over)
      program.scratch[0] = scratch.base
      program.scratch[1] = scratch.bytes
      let count = 0
      for (const group of groups) {
        let after = count
        for (const call of group) {
          if (count === CAPACITY) {
            if (!runWritten(count)) return false
            count = after = 0
          }
          writeCall(program, count++, after, call)
        }
      }
      return count === 0 || runWritten(count)
    },
    close() {
      over ??= 'engine expected its threads, but it has been closed; create a new engine'
      end()
    },
  })
}
