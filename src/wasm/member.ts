/**
 * The life of a thread of a team: it sleeps until there is a program, takes part, and sleeps again.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import { instantiate } from './instantiate.ts'
import type { Kernels } from './instantiate.ts'
import { arithmeticFaults, refuse } from './probe.ts'
import { CLOSED, EPOCH, join, leave, programOf, takePart } from './program.ts'
import { tuned } from './tuning.ts'
import type { Tiles } from './tuning.ts'

/** The first message to a thread of a team. */
export interface TeamHello {
  readonly team: {
    readonly memory: WebAssembly.Memory
    readonly buffer: SharedArrayBuffer
    /** Number of the thread; the leading thread is 0. */
    readonly member: number
    /** Kernels by number. */
    readonly names: readonly string[]
    /** Tiles that are known; the others are chosen by timing, for all threads together. */
    readonly tiles: Partial<Tiles>
  }
}

/** The only answer of a thread of a team. */
export type TeamAnswer = { readonly ready: true } | { readonly error: string }

/** Serves a team until it ends. The thread handles no other message meanwhile. */
export async function serveTeam(host: Host, channel: Channel, { team: { memory, buffer, member, names, tiles } }: TeamHello): Promise<void> {
  let kernels: Kernels
  try {
    kernels = tuned(await instantiate(await host.module('shared'), memory), () => host.now(), { memory, tiles }).kernels
    refuse(arithmeticFaults(kernels))
  } catch (error) {
    channel.post({ error: error instanceof Error ? error.message : String(error) })
    return
  }
  channel.post({ ready: true })
  // the answer is on its way before the thread sleeps
  await host.pause?.()
  serve(buffer, member, names.map(name => kernels[name]))
}

/** Takes part in every program until the team ends. */
export function serve(buffer: SharedArrayBuffer, member: number, kernels: readonly Kernels[string][]): void {
  const program = programOf(buffer), { words } = program
  for (let epoch = 0; Atomics.load(words, CLOSED) === 0;) {
    Atomics.wait(words, EPOCH, epoch)
    epoch = Atomics.load(words, EPOCH)
    if (!join(words)) continue
    takePart(program, kernels, member)
    leave(words)
  }
}
