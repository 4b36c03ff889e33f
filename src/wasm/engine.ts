/**
 * An instance of the module with its memory: what every computation runs on.
 * @module
 */
import { anInteger, anOptions, oneOf } from '../assert.ts'
import { aHost } from '../host.ts'
import type { Host, Variant } from '../host.ts'
import { Arena } from './arena.ts'
import { bestVariant, hasSimd } from './features.ts'
import { instantiate } from './instantiate.ts'
import type { Kernels } from './instantiate.ts'
import { arithmeticFaults, memoryFaults, refuse } from './probe.ts'
import { maySleep, MOST_THREADS, openTeam } from './team.ts'
import type { Team } from './team.ts'
import { tileNotes } from './tile-notes.ts'
import { tuned } from './tuning.ts'
import type { TileChoice, Tiles } from './tuning.ts'

/** All that 32-bit addresses reach. */
const MOST_BYTES = 2 ** 32

/** Kernels and the memory that they work on. */
export interface Engine {
  readonly kernels: Kernels
  readonly arena: Arena
  readonly variant: Variant
  /** The tiles of products: chosen by timing the first ones, where they are not known. */
  readonly tiles: TileChoice
  /** The threads that share each step; none: this thread alone. */
  readonly team?: Team
  /** Ends the other threads, where there are any; no step can run afterwards. */
  close?(): void
}

/** Where an engine of a thread starts, in a memory that several share. */
export interface SharedRegion {
  readonly memory: WebAssembly.Memory
  readonly base: number
  readonly limit: number
}

/**
 * Creates an engine with a memory of its own; or, with `region`, over a part of a shared memory.
 *
 * @param options.variant - build to use; if left out the fastest that the engine accepts and computes right
 * @param options.maximum - most bytes that the memory may grow to, in whole pages of 65,536, up to 2^32 (default: all of it, 4 GiB; an edge worker has 128 MB)
 * @param options.threads - threads that share the work of a step, this one included (default 1). No number changes a bit.
 *   Where the runtime has no shared memory or no SIMD, or this thread may not sleep (a page's main thread), there is one. They
 *   sleep between steps and do not keep the process alive; `close` ends them
 * @param options.tiles - rows of the tiles of products; what is left out is chosen by timing the first products. No tile changes a bit
 * @throws TypeError, RangeError where an option is unknown or not as said; Error where this thread's arithmetic or memory is not what the specification says: it would give other bits
 */
export async function createEngine(
  host: Host, options: { variant?: Variant, maximum?: number, region?: SharedRegion, threads?: number, tiles?: Partial<Tiles> } = {},
): Promise<Engine> {
  aHost(host)
  const { region, tiles } = anOptions('engine', options, ['variant', 'maximum', 'region', 'threads', 'tiles'])
  const { variant: wanted, maximum = MOST_BYTES, threads = 1 } = options
  anInteger('threads', threads, 1, MOST_THREADS)
  anInteger('maximum', maximum, 65536, MOST_BYTES)
  if (wanted !== undefined) oneOf('variant', wanted, ['simd', 'shared', 'scalar'])
  if (tiles !== undefined) checkTiles(tiles)
  if (threads > 1 && (region ?? wanted) !== undefined) {
    throw new TypeError('"threads" expected no other build or memory than the threads\' own, got one; leave out "variant" and "region"')
  }
  if (threads > 1 && host.threads !== undefined && maySleep() && hasSimd()) {
    const { faults, engine } = await open(host, 'shared', maximum, undefined, tiles)
    // otherwise as with one thread, which may find a build without fault
    if (faults.length === 0) return withTeam(engine, await openTeam(host, engine.kernels, engine.arena.memory, threads, { tiles }))
  }
  const variant = region ? 'shared' : wanted ?? bestVariant()
  const { faults, engine } = await open(host, variant, maximum, region, tiles)
  // where vectors alone are at fault, the scalar build gives the right bits
  if (faults.length > 0 && wanted === undefined && variant === 'simd') {
    const scalar = await open(host, 'scalar', maximum, undefined, tiles).catch(() => undefined)
    if (scalar?.faults.length === 0) return scalar.engine
  }
  refuse(faults)
  return engine
}

function checkTiles(tiles: Partial<Tiles>): void {
  for (const [kind, rows] of Object.entries(anOptions('tiles', tiles, ['floats', 'integers']))) {
    if (rows !== undefined) anInteger(`tiles.${kind}`, rows, 4, 5)
  }
}

async function open(
  host: Host, variant: Variant, maximum: number, region?: SharedRegion, tiles?: Partial<Tiles>,
): Promise<{ engine: Engine, faults: readonly string[] }> {
  const memory = region?.memory ?? newMemory(variant, maximum)
  const instance = await instantiate(await host.module(variant), memory), notes = tileNotes(host, variant, instance)
  const { kernels, tiles: choice } = tuned(instance, () => host.now(), { memory, tiles, remember: notes.remember })
  if (!choice.chosen) void notes.recall(choice)
  const faults = [...arithmeticFaults(kernels), ...memoryFaults(kernels, memory, region === undefined && maximum >= 131072)]
  const arena = region ? new Arena(memory, region.base, region.limit) : new Arena(memory, 65536, pagesOf(maximum) * 65536)
  return { faults, engine: Object.freeze({ kernels, variant, arena, tiles: choice }) }
}

function withTeam(engine: Engine, team: Team): Engine {
  return Object.freeze({ ...engine, team, close: () => { team.close() } })
}

/** A memory that the build accepts. */
export function newMemory(variant: Variant, maximum: number = MOST_BYTES): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 1, maximum: pagesOf(maximum), shared: variant === 'shared' })
}

/** Whole pages: what is left of a maximum beyond them can never be had. */
function pagesOf(maximum: number): number { return Math.max(1, Math.floor(maximum / 65536)) }
