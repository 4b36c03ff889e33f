/**
 * Seeded generators for public choices (ranks, orders, initial values) and for simulations: integers only, so the same in
 * every engine. Not for noise and not for secrets: those come from the host's cryptographic generator.
 * @module
 */

/** A stream of pseudo-random numbers. */
export interface Random {
  /** 32 random bits, unsigned. */
  u32(): number
  /** Uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number
  /** Uniform integer in [0, n), without bias. */
  below(n: number): number
  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T>(items: T[]): T[]
}

/**
 * A stream that depends on all of its labels: `random(seed, 'rank', round)`. Streams of different labels are independent
 * for every use but a cryptographic one. xoshiro128** (Blackman and Vigna), its state from a 32-bit mixing hash.
 */
export function random(...labels: readonly (string | number)[]): Random {
  const state = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef]
  const text = labels.map(label => `${typeof label}:${label}`).join('\u0000')
  for (let i = 0; i < text.length; i++) {
    for (let j = 0; j < 4; j++) state[j] = mix(state[j] ^ text.charCodeAt(i) ^ (j << 17))
  }
  for (let j = 0; j < 4; j++) state[j] = mix(state[j] + j)
  if ((state[0] | state[1] | state[2] | state[3]) === 0) state[0] = 1
  const u32 = (): number => {
    const result = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0
    const t = state[1] << 9
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = rotate(state[3], 11)
    return result
  }
  const below = (n: number): number => {
    if (!Number.isSafeInteger(n) || n < 1 || n > 4294967296) throw new RangeError(`"n" expected an integer from 1 to 2^32, got ${n}`)
    const limit = 4294967296 - 4294967296 % n
    let value = u32()
    while (value >= limit) value = u32()
    return value % n
  }
  return Object.freeze({
    u32, below,
    uniform: () => u32() / 4294967296,
    shuffle<T>(items: T[]): T[] {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const item = items[i]
        items[i] = items[j]
        items[j] = item
      }
      return items
    },
  })
}

function rotate(x: number, n: number): number { return (x << n) | (x >>> (32 - n)) }

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return x ^ (x >>> 15)
}
