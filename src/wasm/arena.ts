/**
 * One block of WebAssembly memory, handed out from the bottom up:
 *
 *   | module's data | lasting: weights, parameters ... | frame: all of one step |
 *   0             base                                mark                    top
 *
 * Lasting reservations stay as long as the arena. A frame is reserved whole, by a plan, and given back whole. Nothing is
 * freed one by one, so users never free anything, and an arena that nobody holds is collected with its memory.
 * @module
 */
import { anInteger } from '../assert.ts'

const PAGE = 65536

const ADVICE = 'use shorter texts or a narrower weight format, or allow more'

/** Thrown where a reservation would pass the arena's limit: nothing has been taken. */
export class MemoryLimitError extends RangeError {
  /** The first byte that is not the arena's. */
  readonly limit: number
  /** Where what was asked for would have ended. */
  readonly need: number

  /** @param rest - of the sentence, behind what was needed */
  constructor(limit: number, need: number, rest: string = `; ${ADVICE}`) {
    // rounded apart, so that the one is always seen to be less than the other, and the other is enough
    super(`memory expected at most ${mib(Math.floor, limit)} in all, got a need of ${mib(Math.ceil, need)}${rest}`)
    this.name = 'RangeError'
    this.limit = limit
    this.need = need
  }
}

/** Hands out addresses in a WebAssembly memory. */
export class Arena {
  readonly memory: WebAssembly.Memory
  #top: number
  #limit: number
  #frames = 0
  #attempt = false
  #counting = false
  #peak: number

  /**
   * @param base - first byte to hand out
   * @param limit - first byte that is not ours: for threads that share one memory
   */
  constructor(memory: WebAssembly.Memory, base: number = PAGE, limit: number = 65536 * PAGE) {
    this.memory = memory
    this.#top = base
    this.#peak = base
    this.#limit = limit
  }

  /** First byte that is not in use. */
  get top(): number { return this.#top }

  /** Most bytes that were in use at once, from address 0. */
  get peak(): number { return this.#peak }

  /** Reserves bytes for as long as the arena lives; 64-byte aligned, contents unspecified. */
  reserve(bytes: number): number {
    if (this.#frames > 0) {
      throw new Error('arena expected no frame in use, got a lasting reservation; reserve before the step')
    }
    return this.#take(bytes)
  }

  /**
   * Runs `body`, which may reserve; what it reserved is given back if it fails. One attempt at a time, since what others
   * reserve meanwhile would go with it.
   */
  async attempt<R>(body: () => Promise<R>): Promise<R> {
    if (this.#attempt) {
      throw new Error('arena expected no other load under way, got a second one; load one after another')
    }
    const mark = this.#top
    this.#attempt = true
    try {
      return await body()
    } catch (error) {
      this.#top = mark
      throw error
    } finally {
      this.#attempt = false
    }
  }

  /**
   * Bytes that would be in use, from address 0, if `body` reserved what it reserves. It gets addresses without memory, and
   * everything is as before when it ends.
   */
  async count(body: () => Promise<unknown>): Promise<number> {
    return this.attempt(async () => {
      const mark = this.#top
      this.#counting = true
      try {
        await body()
        return this.#top
      } finally {
        this.#counting = false
        this.#top = mark
      }
    })
  }

  /** Bytes that a frame may still have. */
  get left(): number { return this.#limit - Math.ceil(this.#top / 64) * 64 }

  /**
   * Runs `body` with a block of `bytes` that is given back when it ends, however it ends. A frame may hold another: the
   * inner one is given back first.
   */
  frame<R>(bytes: number, body: (ptr: number) => R): R {
    const mark = this.#top
    const ptr = this.#take(bytes)
    this.#frames++
    try {
      return body(ptr)
    } finally {
      this.#frames--
      this.#top = mark
    }
  }

  /** Goes on in another part of the memory: a thread that has found the shared weights, for what is its own. */
  continueAt(base: number, limit: number): void {
    if (this.#frames > 0) throw new Error('arena expected no frame in use, got a move; finish the step first')
    this.#top = base
    this.#limit = limit
  }

  /** Fresh views: never kept across a reservation, since growing detaches them. */
  f32(ptr: number, length: number): Float32Array { return new Float32Array(this.memory.buffer, ptr, length) }
  i32(ptr: number, length: number): Int32Array { return new Int32Array(this.memory.buffer, ptr, length) }
  u8(ptr: number, length: number): Uint8Array { return new Uint8Array(this.memory.buffer, ptr, length) }

  #take(bytes: number): number {
    anInteger('bytes', bytes)
    const ptr = Math.ceil(this.#top / 64) * 64
    const top = ptr + bytes
    if (this.#counting) {
      this.#top = top
      return ptr
    }
    if (top > this.#limit) throw new MemoryLimitError(this.#limit, top)
    const missing = top - this.memory.buffer.byteLength
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE), top)
    this.#top = top
    if (top > this.#peak) this.#peak = top
    return ptr
  }

  #grow(pages: number, top: number): void {
    try {
      this.memory.grow(pages)
    } catch {
      throw new RangeError(`memory expected to grow to ${mib(Math.ceil, top)}, but the runtime refused; ${ADVICE}`)
    }
  }
}

function mib(round: (value: number) => number, bytes: number): string { return `${(round(bytes / 2 ** 20 * 100) / 100).toFixed(2)} MiB` }
