/**
 * Computes a fixed programme and hashes what comes out: equal hashes on two machines mean the same bits on both.
 * @module
 */
import { anInteger, anOptions, oneOf } from '../assert.ts'
import { hashOf } from '../canonical.ts'
import type { Host, Variant } from '../host.ts'
import { NUMERICS_VERSION } from '../numerics.ts'
import { createEngine } from '../wasm/engine.ts'
import { Desk } from './desk.ts'
import { golden } from './golden.gen.ts'
import { programme } from './programme.ts'
import type { Level } from './section.ts'
import { Sink } from './sink.ts'

/** Options of `selfTest`. */
export interface SelfTestOptions {
  /** `quick` (default): a second; `full`: the whole programme, some seconds. Neither needs files. */
  readonly level?: Level
  /** Build to use; default: the fastest that this thread computes right. */
  readonly variant?: Variant
  /** Threads that share each step, and threads of the simulated training; more than one need `folder`. Default 1. */
  readonly threads?: number
  /** Folder that holds `simulationFiles()`, as the host's threads name it. */
  readonly folder?: string
  /** Called after each part. */
  readonly onPart?: (part: SelfTestPart, done: number, parts: number) => void
}

/** The hash of one part. */
export interface SelfTestPart {
  /** E.g. `kernel/exp_forward`. */
  readonly name: string
  /** SHA-256, in hexadecimal. */
  readonly hash: string
}

/** What the self-test found. */
export interface SelfTestResult {
  /** Version of the numerics that this code computes. */
  readonly numerics: number
  readonly level: Level
  /** The build that was used. */
  readonly variant: Variant
  readonly parts: readonly SelfTestPart[]
  /** SHA-256 over all parts. */
  readonly hash: string
  /** The hash that every runtime must give. */
  readonly expected: string
  /** Names of the parts that differ from it, in order: none where all is well. */
  readonly differing: readonly string[]
}

/**
 * Runs the self-test on this thread.
 *
 * @throws Error where this thread's arithmetic is refused from the start
 */
export async function selfTest(host: Host, options: SelfTestOptions = {}): Promise<SelfTestResult> {
  anOptions('selfTest', options, ['level', 'variant', 'threads', 'folder', 'onPart'])
  const level = oneOf('level', options.level ?? 'quick', ['quick', 'full'])
  const { threads = 1 } = options
  anInteger('threads', threads, 1, 64)
  if (threads > 1 && options.folder === undefined) throw new RangeError('"folder" expected the folder of the model for several threads, got none')
  const engine = await createEngine(host, options.variant !== undefined ? { variant: options.variant } : { threads })
  const ground = { host, engine, desk: new Desk(engine), threads, folder: options.folder }
  const sections = programme.filter(section => level === 'full' || section.level === 'quick')
  const parts: SelfTestPart[] = []
  try {
    for (const { name, run } of sections) {
      const sink = new Sink()
      await run(ground, sink)
      const part = Object.freeze({ name, hash: sink.digest() })
      parts.push(part)
      options.onPart?.(part, parts.length, sections.length)
      await host.pause?.()
    }
  } finally {
    engine.close?.()
  }
  return Object.freeze({
    numerics: NUMERICS_VERSION, level, variant: engine.variant, parts: Object.freeze(parts),
    hash: totalOf(level, parts.map(({ name, hash }) => [name, hash])), expected: expectedHash(level), differing: differences(parts),
  })
}

/** The hash that the self-test of a level must give. */
export function expectedHash(level: Level): string {
  return totalOf(level, programme.filter(section => level === 'full' || section.level === 'quick')
    .map(({ name }) => [name, golden.parts[name] ?? '']))
}

/** Names of the parts whose hashes are not the committed ones. */
export function differences(parts: readonly SelfTestPart[]): string[] {
  return parts.filter(({ name, hash }) => golden.numerics !== NUMERICS_VERSION || golden.parts[name] !== hash).map(({ name }) => name)
}

function totalOf(level: Level, parts: readonly (readonly [string, string])[]): string {
  return hashOf({ numerics: NUMERICS_VERSION, level, parts })
}
