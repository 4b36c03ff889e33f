/**
 * Which of the module's tiles an engine runs fastest. Engines differ in how many vectors they hold in registers, and only
 * a clock can tell: the first products of an instance, once the engine has compiled them for good, are done with each tile in turn, as
 * often and in the same sizes; then the faster one stays. No tile changes a bit, so nothing depends on the choice but time.
 * @module
 */
import type { Kernels } from './instantiate.ts'

/** Rows of a full tile, 4 or 5, of f32 and of int8 products. */
export interface Tiles {
  readonly floats: number
  readonly integers: number
}

/** In the order of preference where they are equally fast. */
const ROWS = [5, 4] as const
/** Products until the engine's last compiler has had its turn, in operations; then products that are timed. */
const WARM = 4e9
const TIMED = 64
/** Shorter products, in operations, say too little to be timed. */
const LEAST = 4e6
/** A tile must be faster by as much to be taken: less is chance. */
const GAIN = 0.98

/** By kernel: operations of a call, from its arguments. */
const WORK: Readonly<Record<keyof Tiles, Readonly<Record<string, (args: readonly number[]) => number>>>> = {
  floats: {
    linear_forward: args => 2 * args[5] * args[6] * args[7],
    linear_backward_input: args => 2 * args[4] * args[5] * args[6],
  },
  integers: {
    int8_forward: args => 2 * args[5] * args[6] * args[7],
    int8_backward_input: args => 2 * args[4] * args[5] * args[6],
  },
}

const SETTERS: Readonly<Record<keyof Tiles, string>> = { floats: 'gemm_tile', integers: 'int8_tile' }

/** What an instance uses now. */
export function tilesOf(kernels: Kernels): Tiles {
  return { floats: kernels[SETTERS.floats](0), integers: kernels[SETTERS.integers](0) }
}

/**
 * The kernels of an instance, with those products watched whose tile is still to be chosen.
 *
 * @param now - milliseconds; a coarse clock will do
 * @param tiles - tiles that are wanted whatever the time
 */
export function tuned(kernels: Kernels, now: () => number, tiles: Partial<Tiles> = {}): Kernels {
  const out: Record<string, Kernels[string]> = { ...kernels }
  for (const kind of ['floats', 'integers'] as const) {
    const set = kernels[SETTERS[kind]], wanted = tiles[kind]
    if (wanted !== undefined) {
      if (set(wanted) !== wanted) throw new RangeError(`"tiles" expected 4 or 5 rows for ${kind}, got ${wanted}`)
      continue
    }
    const watch = watcher(set, now)
    for (const [name, work] of Object.entries(WORK[kind])) out[name] = watch(name, kernels[name], work)
  }
  return out
}

/** Watches the products of one kind until the choice is made. */
function watcher(
  set: Kernels[string], now: () => number,
): (name: string, kernel: Kernels[string], work: (args: readonly number[]) => number) => Kernels[string] {
  /** Milliseconds for each operation, by tile, of the calls that were timed. */
  const rates: readonly number[][] = ROWS.map(() => [])
  const turns = new Map<string, number>()
  let warm = 0, count = 0, chosen = false
  return (name, kernel, work) => (...args) => {
    if (chosen) return kernel(...args)
    const operations = work(args)
    if (operations < LEAST) return kernel(...args)
    // calls of one size take turns, so that both tiles meet the same work
    const size = `${name} ${operations}`, turn = turns.get(size) ?? 0
    turns.set(size, turn + 1)
    set(ROWS[turn % ROWS.length])
    const start = now(), result = kernel(...args), rate = (now() - start) / operations
    if (warm < WARM) warm += operations
    else {
      rates[turn % ROWS.length].push(rate)
      chosen = ++count >= TIMED
    }
    set(chosen ? faster(rates) : ROWS[0])
    return result
  }
}

/** The rows whose calls took less, but for the slowest quarter, which something else may have held up. */
function faster(rates: readonly (readonly number[])[]): number {
  const [first, second] = rates.map(times => {
    const kept = [...times].sort((a, b) => a - b).slice(0, Math.ceil(times.length * 0.75))
    return kept.reduce((sum, time) => sum + time, 0) / kept.length
  })
  return second < first * GAIN ? ROWS[1] : ROWS[0]
}
