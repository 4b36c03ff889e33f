/**
 * An instance of the module with its memory: what every computation runs on.
 * @module
 */
import type { Host, Variant } from '../host.ts'
import { Arena } from './arena.ts'
import { bestVariant } from './features.ts'
import { instantiate } from './instantiate.ts'
import type { Kernels } from './instantiate.ts'

/** Kernels and the memory that they work on. */
export interface Engine {
  readonly kernels: Kernels
  readonly arena: Arena
  readonly variant: Variant
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
 * @param options.variant - build to use; the fastest that the engine accepts if left out
 * @param options.maximum - most bytes that the memory may grow to (default 4 GiB; an edge worker has 128 MB)
 */
export async function createEngine(
  host: Host, options: { variant?: Variant, maximum?: number, region?: SharedRegion } = {},
): Promise<Engine> {
  const { maximum = 65536 * 65536, region } = options
  const variant = region ? 'shared' : options.variant ?? bestVariant()
  const memory = region?.memory ?? newMemory(variant, maximum)
  const kernels = await instantiate(await host.module(variant), memory)
  probe(kernels)
  return Object.freeze({ kernels, variant, arena: region ? new Arena(memory, region.base, region.limit) : new Arena(memory, 65536, maximum) })
}

/** A memory that the build accepts. */
export function newMemory(variant: Variant, maximum: number = 65536 * 65536): WebAssembly.Memory {
  const pages = Math.max(1, Math.floor(maximum / 65536))
  return new WebAssembly.Memory({ initial: 1, maximum: pages, shared: variant === 'shared' })
}

/**
 * A thread that flushes denormals (audio worklets do) would compute other bits: refuse it.
 */
function probe(kernels: Kernels): void {
  if (kernels['denormal_probe'](2 ** -126, 0.5) !== 2 ** -127) {
    throw new Error('floating point expected gradual underflow, got flushed denormals on this thread; ' +
      'run in a worker or a main thread, not in an audio worklet')
  }
}
