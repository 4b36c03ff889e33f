// Times and what is made of them.

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/** Milliseconds that a call takes. */
export function timed(body) {
  const start = performance.now()
  body()
  return performance.now() - start
}

/** How often a call must run to take at least `ms`; the first call, which compiles, does not count. */
export function repetitions(body, ms) {
  body()
  const one = Math.max(1e-4, Math.min(timed(body), timed(body)))
  return Math.max(1, Math.ceil(ms / one))
}

/** Time of `count` calls, divided by their number, in milliseconds. */
export function timeEach(body, count) {
  const start = performance.now()
  for (let i = 0; i < count; i++) body()
  return (performance.now() - start) / count
}

/** a and b in turn, `rounds` times; b is compared with what a took just before and after it. Medians. */
export function interleaved(a, b, rounds) {
  const as = [], bs = [], ratios = []
  let before = a()
  for (let i = 0; i < rounds; i++) {
    const time = b(), after = a()
    as.push(after)
    bs.push(time)
    ratios.push(time / ((before + after) / 2))
    before = after
  }
  return { a: median(as), b: median(bs), ratio: median(ratios) }
}

/** A 32-bit linear congruential generator; uniform in [0, 1) with 24 bits, exact in f32. */
export function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}
