/**
 * One part of the self-test: a name, and what goes into its hash.
 * @module
 */
import type { Host } from '../host.ts'
import type { Engine } from '../wasm/engine.ts'
import type { Desk } from './desk.ts'
import type { Sink } from './sink.ts'

/** `quick` parts need less than a second together; `full` has all of them and many more. */
export type Level = 'quick' | 'full'

/** What a part works with. */
export interface Ground {
  readonly host: Host
  readonly engine: Engine
  readonly desk: Desk
  /** Threads of the simulated training, and where they find the model's files. */
  readonly threads: number
  readonly folder: string | undefined
}

/** A part of the self-test. */
export interface Section {
  readonly name: string
  readonly level: Level
  run(ground: Ground, sink: Sink): void | Promise<void>
}
