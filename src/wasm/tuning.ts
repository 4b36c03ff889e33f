/**
 * Which of the module's tiles an engine runs fastest. Engines differ in how many vectors they hold in registers, and only
 * a clock can tell: the first products of an instance, once the engine has compiled them for good, are done with each tile in turn, as
 * often and in the same sizes; then the faster one stays, for all that share the memory and for whoever asks `remember` what it
 * was told. No tile changes a bit, so nothing depends on the choice but time.
 * @module
 */
import type { Kernels } from './instantiate.ts'

/** Rows of a full tile, 4 or 5, of f32 and of int8 products. */
export interface Tiles {
  readonly floats: number
  readonly integers: number
}

/** The tiles of an instance as they are now. */
export interface TileChoice extends Tiles {
  /** True once nothing is left to be timed. */
  readonly chosen: boolean
  /** True while operands of int8 products are given the one tile and the other in turn. */
  readonly timing: boolean
  /** Rows of the tiles of an operand of int8 products, M rows of L terms. */
  forOperand(M: number, L: number): number
  /** Takes 4 or 5 rows without timing, unless the choice is made. */
  adopt(kind: keyof Tiles, rows: number): void
}

/** What the choice is made with. */
export interface TuningOptions {
  /** The memory of the instance; of several in one shared memory, the first to choose chooses for all. */
  readonly memory?: WebAssembly.Memory | undefined
  /** Tiles that are known: given by the user, or remembered. */
  readonly tiles?: Partial<Tiles> | undefined
  /** Told what was chosen by timing. */
  readonly remember?: ((kind: keyof Tiles, rows: number) => void) | undefined
}

/** In the order of preference where they are equally fast. */
const ROWS = [5, 4] as const
/** Products until the engine's last compiler has had its turn, in operations; then products that are timed. */
const WARM = 4e9
const TIMED = 64
/** Shorter products, in operations, say too little to be timed; and smaller operands, in numbers. */
const LEAST = 4e6
const LEAST_OPERAND = 1 << 14
/** A tile must be faster by as much to be taken: less is chance. */
const GAIN = 0.98
/** Where threads that share a memory find what is chosen: between the module's constants and what an arena gives out. */
const CELL = 65536 - 64

/** By kernel: operations of a call, from its arguments. */
const FLOATS: Readonly<Record<string, (args: readonly number[]) => number>> = {
  linear_forward: args => 2 * args[5] * args[6] * args[7],
  linear_backward_input: args => 2 * args[4] * args[5] * args[6],
}
const INTEGERS = (args: readonly number[]) => 2 * args[7] * args[8] * args[9]

const SETTERS: Readonly<Record<keyof Tiles, string>> = { floats: 'gemm_tile', integers: 'int8_tile' }

/** What an instance uses now. */
export function tilesOf(kernels: Kernels): Tiles {
  return { floats: kernels[SETTERS.floats](0), integers: kernels[SETTERS.integers](0) }
}

/**
 * The kernels of an instance, with those products watched whose tile is still to be chosen; and the choice.
 *
 * @param now - milliseconds; a coarse clock will do
 */
export function tuned(kernels: Kernels, now: () => number, { memory, tiles = {}, remember }: TuningOptions = {}): { kernels: Kernels, tiles: TileChoice } {
  const out: Record<string, Kernels[string]> = { ...kernels }
  const cells = memory === undefined || memory.buffer instanceof ArrayBuffer ? new Int32Array(2) : new Int32Array(memory.buffer, CELL, 2)
  const contest = (kind: keyof Tiles) => {
    const set = kernels[SETTERS[kind]], wanted = tiles[kind]
    const made = new Contest(set, cells.subarray(kind === 'floats' ? 0 : 1), rows => remember?.(kind, rows))
    if (wanted !== undefined) {
      if (set(wanted) !== wanted) throw new RangeError(`"tiles" expected 4 or 5 rows for ${kind}, got ${wanted}`)
      made.end(wanted)
    }
    // whoever sets tiles by hand wants no other ones
    out[SETTERS[kind]] = rows => (ROWS as readonly number[]).includes(rows) ? made.end(rows) : set(rows)
    return made
  }
  const floats = contest('floats'), integers = contest('integers')
  for (const [name, work] of Object.entries(FLOATS)) {
    const kernel = kernels[name]
    out[name] = (...args) => {
      if (floats.over) return kernel(...args)
      const operations = work(args)
      if (operations < LEAST) return kernel(...args)
      const rows = floats.next(`${name} ${operations}`), start = now(), result = kernel(...args)
      floats.timed(rows, operations, now() - start)
      return result
    }
  }
  const product = kernels['int8_product']
  out['int8_product'] = (...args) => {
    if (integers.over || memory === undefined) return product(...args)
    const operations = INTEGERS(args)
    if (operations < LEAST) return product(...args)
    // an operand begins with the rows of its tiles
    const rows = new Int32Array(memory.buffer, args[2], 1)[0], start = now(), result = product(...args)
    integers.timed(rows, operations, now() - start)
    return result
  }
  return { kernels: out, tiles: Object.freeze({
    get floats() { return kernels[SETTERS.floats](0) },
    get integers() { return kernels[SETTERS.integers](0) },
    get timing() { return integers.begun && !integers.over },
    get chosen() { return floats.over && integers.over },
    forOperand: (M: number, L: number) => integers.over || M * L < LEAST_OPERAND ? kernels[SETTERS.integers](0) : integers.next(`${M} ${L}`),
    adopt(kind: keyof Tiles, rows: number) {
      const contest = kind === 'floats' ? floats : integers
      if (!contest.over) contest.end(rows)
    },
  }) }
}

/** The tiles of one kind, until the choice is made. */
class Contest {
  readonly #set: Kernels[string]
  readonly #cell: Int32Array
  readonly #chosen: (rows: number) => void
  /** Milliseconds for each operation, by tile, of the calls that were timed. */
  readonly #rates: readonly number[][] = ROWS.map(() => [])
  readonly #turns = new Map<string, number>()
  #warm = 0
  #over = false

  /** @param cell - holds the choice as soon as anybody has made it, else 0 */
  constructor(set: Kernels[string], cell: Int32Array, chosen: (rows: number) => void) {
    this.#set = set
    this.#cell = cell
    this.#chosen = chosen
  }

  /** True where the choice is made, here or by another thread. */
  get over(): boolean {
    if (this.#over) return true
    const rows = Atomics.load(this.#cell, 0)
    if (rows === 0) return false
    this.#over = true
    this.#set(rows)
    return true
  }

  /** True where some call has had its turn. */
  get begun(): boolean { return this.#turns.size > 0 }

  /** Makes the choice. */
  end(rows: number): number {
    this.#over = true
    Atomics.store(this.#cell, 0, rows)
    return this.#set(rows)
  }

  /** Sets the tile whose turn it is: calls of one size take turns, so that both tiles meet the same work. */
  next(size: string): number {
    const turn = this.#turns.get(size) ?? 0
    this.#turns.set(size, turn + 1)
    return this.#set(ROWS[turn % ROWS.length])
  }

  /** Takes a time down, and makes the choice when there are enough. */
  timed(rows: number, operations: number, ms: number): void {
    this.#set(ROWS[0])
    if (this.#warm < WARM) {
      this.#warm += operations
      return
    }
    this.#rates[rows === ROWS[0] ? 0 : 1].push(ms / operations)
    // several products may read one operand: each tile needs times of its own
    if (this.#rates.some(({ length }) => length < TIMED / ROWS.length)) return
    this.#chosen(this.end(faster(this.#rates)))
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
