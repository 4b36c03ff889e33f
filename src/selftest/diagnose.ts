/**
 * What a runtime can do, and whether it computes the same bits as all others: for `sotto doctor`, and for pages.
 * @module
 */
import { show } from '../assert.ts'
import type { Host, Variant } from '../host.ts'
import { newMemory } from '../wasm/engine.ts'
import { hasSimd } from '../wasm/features.ts'
import { instantiate } from '../wasm/instantiate.ts'
import { arithmeticFaults, memoryFaults } from '../wasm/probe.ts'
import { selfTest } from './self-test.ts'
import type { SelfTestOptions, SelfTestResult } from './self-test.ts'

/** A build on this thread: whether it is there, and what is wrong with it. */
export interface BuildState {
  readonly variant: Variant
  /** Why it cannot be used at all, e.g. that the runtime has no shared memory. */
  readonly missing: string | undefined
  /** What its arithmetic and its memory get wrong; none: it is fit. */
  readonly faults: readonly string[]
}

/** What was found. */
export interface Diagnosis {
  readonly runtime: string
  readonly version: string
  readonly simd: boolean
  /** Whether threads can share memory here: not on a page without cross-origin isolation, nor in an edge worker. */
  readonly sharedMemory: boolean
  /** Threads that the host offers; 1: this one alone. */
  readonly threads: number
  /** Bytes that a memory grew to before the runtime refused, or 1 GiB, where the question ended. */
  readonly memory: number
  /** Whether the host gives fresh random bytes: without them nothing can be released privately. */
  readonly randomness: boolean
  readonly builds: readonly BuildState[]
  /** Undefined where no build is fit. */
  readonly selfTest: SelfTestResult | undefined
  /** GFLOP/s of a product of 256 x 256 x 256 on one thread, for orientation; undefined where the clock stands still. */
  readonly speed: number | undefined
  /** True where this runtime computes the committed bits and has randomness. */
  readonly fit: boolean
}

const ASKED = 2 ** 30

/** Looks at this runtime and runs the self-test on this thread. */
export async function diagnose(host: Host, options: Pick<SelfTestOptions, 'level' | 'onPart'> = {}): Promise<Diagnosis> {
  const simd = hasSimd(), shared = canShare()
  const builds = [await stateOf(host, 'simd', simd ? undefined : 'the engine has no SIMD'),
    await stateOf(host, 'shared', shared ? undefined : 'no memory can be shared here'), await stateOf(host, 'scalar', undefined)]
  const usable = (variant: Variant) => builds.some(build => build.variant === variant && build.missing === undefined && build.faults.length === 0)
  const result = usable('simd') ? await selfTest(host, options) : usable('scalar') ? await selfTest(host, { ...options, variant: 'scalar' }) : undefined
  const randomness = isRandom(host)
  return Object.freeze({
    runtime: host.name, version: host.version, simd, sharedMemory: shared, threads: host.threads?.count ?? 1, memory: growth(),
    randomness, builds: Object.freeze(builds), selfTest: result, speed: result && await speedOf(host, result.variant),
    fit: randomness && result?.differing.length === 0,
  })
}

async function stateOf(host: Host, variant: Variant, missing: string | undefined): Promise<BuildState> {
  if (missing !== undefined) return { variant, missing, faults: [] }
  try {
    const memory = newMemory(variant, variant === 'shared' ? 2 ** 20 : undefined)
    const kernels = await instantiate(await host.module(variant), memory)
    return { variant, missing: undefined, faults: [...arithmeticFaults(kernels), ...memoryFaults(kernels, memory, true)] }
  } catch (error) {
    return { variant, missing: error instanceof Error ? error.message : show(error), faults: [] }
  }
}

function canShare(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer as unknown instanceof SharedArrayBuffer
  } catch {
    return false
  }
}

/** Two draws that fill their arrays, and differ: by chance 2^-128 they do not. */
function isRandom(host: Host): boolean {
  const [a, b] = [new Uint8Array(16), new Uint8Array(16)]
  try {
    host.random(a)
    host.random(b)
  } catch {
    return false
  }
  return a.some((byte, i) => byte !== b[i]) && a.some(byte => byte !== 0) && b.some(byte => byte !== 0)
}

/** Doubles a memory until the runtime refuses; nothing is written, so nothing is taken from the machine. */
function growth(): number {
  let memory: WebAssembly.Memory
  try {
    memory = newMemory('scalar')
  } catch {
    return 0
  }
  while (memory.buffer.byteLength < ASKED) {
    try {
      memory.grow(memory.buffer.byteLength / 65536)
    } catch {
      break
    }
  }
  return memory.buffer.byteLength
}

/** Products for a tenth of a second. */
async function speedOf(host: Host, variant: Variant): Promise<number | undefined> {
  const memory = newMemory(variant), size = 256, bytes = 4 * size * size
  const kernels = await instantiate(await host.module(variant), memory)
  const [a, b, c] = [1, 2, 3].map(i => 65536 * 16 * i)
  const scratch = c + bytes
  memory.grow(Math.ceil((scratch + kernels['gemm_scratch']()) / 65536))
  const product = () => { kernels['matmul'](c, size, a, size, 1, b, 1, size, size, size, size, 1, 0, 0, scratch) }
  for (let i = 0; i < 10; i++) product()
  const start = host.now()
  let count = 0, milliseconds = 0
  for (; milliseconds < 100 && count < 200; count++) {
    product()
    milliseconds = host.now() - start
  }
  return milliseconds === 0 ? undefined : 2 * size * size * size * count / (milliseconds * 1e6)
}
