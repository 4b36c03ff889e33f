/** A seeded generator for tests (splitmix32). */
export interface Rng {
  /** A 32-bit unsigned integer. */
  u32(): number
  /** Uniform in [0, 1). */
  uniform(): number
  /** Integer in [min, max]. */
  int(min: number, max: number): number
  /** About normal: the sum of twelve uniforms, less six. */
  normal(): number
  /** n numbers, about normal, times `scale`. */
  f32(n: number, scale?: number): Float32Array
}

export function rng(seed: number): Rng {
  let state = seed >>> 0
  const u32 = () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
  const uniform = () => u32() / 4294967296
  const normal = () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += uniform()
    return sum
  }
  return {
    u32, uniform, normal,
    int: (min, max) => min + Math.floor(uniform() * (max - min + 1)),
    f32(n, scale = 1) {
      const out = new Float32Array(n)
      for (let i = 0; i < n; i++) out[i] = normal() * scale
      return out
    },
  }
}
