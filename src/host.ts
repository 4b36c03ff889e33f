/**
 * What portable code asks of the runtime that it runs in. Each runtime has one small adapter that fills this; portable
 * code never looks for `process`, `window` or `Deno`.
 * @module
 */
import { anObjectWith } from './assert.ts'
import type { Sha256 } from './canonical.ts'
import type { FileSource } from './checkpoint/source.ts'

/** Builds of the one module. All give the same bits. `shared` is `simd` over a memory shared by threads. */
export type Variant = 'simd' | 'shared' | 'scalar'

/** A runtime, passed in. */
export interface Host {
  /** E.g. `node`. */
  readonly name: string
  /** The runtime's own version, for reports. */
  readonly version: string
  /** Fills an array with random bytes of the system's cryptographic generator. */
  random(bytes: Uint8Array): void
  /** Milliseconds from some fixed instant, monotonic. For progress and time left; no result depends on it. */
  now(): number
  /** The compiled module: from a file, a URL or an import, as the runtime allows. */
  module(variant: Variant): Promise<WebAssembly.Module>
  /** Lets waiting events through: between jobs of a thread that has the work and the user to itself. */
  pause?(): Promise<void>
  /** SHA-256, where the runtime has it without waiting: large updates are hashed ten times faster. */
  readonly sha256?: Sha256
  /** A folder of files: a directory's path or what else the runtime calls a folder. */
  folder(path: string): FileSource
  /** Writes a folder whole or not at all: a folder that is there already is replaced at the end. */
  save?(path: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void>
  /** Threads, where the runtime has them and they can share memory. */
  readonly threads?: Threads
  /** What outlives a process or a visit, where the runtime has a place for it. No result depends on it. */
  readonly notes?: Notes
}

/** Short texts by key (letters, digits and `-`). Whoever reads checks what it gets; what is lost costs time alone. */
export interface Notes {
  get(key: string): Promise<string | undefined>
  set(key: string, text: string): Promise<void>
}

/** @throws TypeError where this is no host. */
export function aHost(host: Host): Host {
  return anObjectWith('host', host, ['module', 'folder', 'random', 'now'], 'pass what node(), deno(), bun(), browser(), workerd() or generic() gave')
}

/** Threads that run the simulation's worker. */
export interface Threads {
  /** How many can run at once. */
  readonly count: number
  /** Starts one. */
  spawn(): Channel
}

/** Messages to and from a thread. */
export interface Channel {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void
  /** One listener: the next takes the place of the last. */
  onMessage<M>(listener: (message: M) => void): void
  onError(listener: (error: Error) => void): void
  close(): void
}
