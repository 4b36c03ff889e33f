/**
 * How each kernel's call is cut into calls that write apart, so that threads can share it: by rows, elements, columns of a
 * product, heads or sequences. No sum is cut, so no bit changes. The arguments are those of assembly/kernels.
 * @module
 */

/** Where a call may be cut. */
interface Axis {
  /** The argument that holds how many there are. */
  readonly count: number
  /** Pointers that move: [argument, bytes from one to the next]. */
  readonly moves: readonly (readonly [number, number])[]
  /** An argument that holds the number of the first. */
  readonly first?: number
  /** Cuts at multiples of it waste nothing. */
  readonly grain?: number
  /** About how long one takes, in nanoseconds. */
  readonly cost: number
}

/** A kernel in a step. */
export interface Kind {
  /** Where its calls may be cut; none: a call stays whole. */
  readonly axis?: (args: readonly number[]) => Axis | readonly Axis[]
  /** The last argument is scratch. */
  readonly scratch?: boolean
}

/** A piece that takes less, in nanoseconds, is not worth another thread's while. */
export const LEAST = 20_000

/** n elements of 4 bytes under each of the first `arrays` arguments. */
const elements = (arrays: number, count: number, cost: number): Kind => ({
  axis: () => ({ count, cost, grain: 16, moves: Array.from({ length: arrays }, (_, i) => [i, 4] as const) }),
})

/** Rows: `wide` are pointers to rows of as many floats as argument `width` holds, `narrow` to one number a row. */
const rows = (count: number, width: number, wide: readonly number[], narrow: readonly number[], cost: number): Kind => ({
  axis: args => ({
    count, cost: cost * args[width],
    moves: [...wide.map(i => [i, 4 * args[width]] as const), ...narrow.map(i => [i, 4] as const)],
  }),
})

/** Rows of a product with a packed weight: argument `out` holds the floats of a row of the first, `from` of the second. */
const product = (count: number, out: number, from: number, rate: number): Kind => ({
  scratch: true,
  axis: args => ({
    count, grain: 5, cost: args[out] * args[from] / rate, moves: [[0, 4 * args[out]], [1, 4 * args[from]]],
  }),
})

/** Heads, of `arrays` arrays, and sequences. */
const attention = (arrays: number, work: number): Kind => ({
  scratch: true,
  axis: args => {
    const [, S, H, D] = args.slice(arrays)
    // the lengths are not known here: as many rows as a piece of a step has
    const cost = work * 128 * 128 * D
    return [
      { count: arrays + 2, cost: cost * S, moves: Array.from({ length: arrays }, (_, i) => [i, 4 * D] as const) },
      { count: arrays + 1, cost: cost * H, moves: [[arrays, 4]] },
    ]
  },
})

/** C = start + A B by strides: the longer side is cut, so that the shorter one is packed again. */
const matmul: Kind = {
  scratch: true,
  axis: ([, ldc, , aRow, , , , bColumn, m, n, k, , , bias]) => m >= n
    ? { count: 8, grain: 5, cost: n * k / 12, moves: [[0, 4 * ldc], [2, 4 * aRow]] }
    : { count: 9, grain: 8, cost: m * k / 12, moves: [[0, 4], [5, 4 * bColumn], ...(bias ? [[13, 4] as const] : [])] },
}

/** Kernels whose calls may be shared, by name; another kernel runs on one thread, alone. */
export const KINDS: Readonly<Record<string, Kind>> = {
  add: elements(3, 3, 0.5), scale: elements(2, 3, 0.5), copy: elements(2, 2, 0.3), zero: elements(1, 1, 0.2),
  first_nonfinite: elements(1, 1, 0.2),
  ...Object.fromEntries([['gelu_erf', 3], ['gelu_tanh', 3], ['relu', 0.5], ['silu', 3], ['tanh', 3]].flatMap(([name, cost]) => [
    [`${name}_forward`, elements(2, 2, Number(cost))], [`${name}_backward`, elements(3, 3, Number(cost))],
  ])),
  gelu_erf_slope: elements(3, 3, 3), multiply: elements(3, 3, 0.5),
  dropout_forward: { axis: args => ({ count: 2, first: 4, cost: 3 * args[3], moves: [[0, 4 * args[3]], [1, 4 * args[3]]] }) },
  layer_norm_forward: rows(6, 7, [0, 3], [1, 2], 1), add_layer_norm_forward: rows(8, 9, [0, 1, 4, 5], [2, 3], 1),
  layer_norm_backward: rows(6, 7, [0, 1, 2], [3, 4], 1), layer_norm_backward_params: {},
  l2_normalize_forward: rows(3, 4, [0, 2], [1], 1), l2_normalize_backward: rows(4, 5, [0, 1, 2], [3], 1),
  embedding_forward: rows(3, 4, [0], [1], 1), embedding_add_forward: rows(3, 4, [0], [1], 1), embedding_backward: {},
  embedding_f16_forward: rows(3, 4, [0], [1], 1), embedding_f16_add_forward: rows(3, 4, [0], [1], 1),
  embedding_int8_forward: rows(4, 5, [0], [1], 1), embedding_int8_add_forward: rows(4, 5, [0], [1], 1),
  cross_entropy_forward: rows(4, 5, [1, 2], [0, 3], 4), cross_entropy_backward: rows(4, 5, [0, 1], [2], 1),
  mean_pool_forward: rows(3, 4, [0], [2], 64), mean_pool_backward: rows(3, 4, [1], [2], 64),
  first_token_pool_forward: rows(3, 4, [0], [2], 1), first_token_pool_backward: rows(3, 4, [1], [2], 64),
  column_sums: {},
  matmul, linear_forward: product(5, 6, 7, 12), linear_backward_input: product(4, 6, 5, 12),
  int8_rows: { scratch: true, axis: args => ({ count: 6, first: 5, grain: 20, cost: args[4] * (1 + args[10] / 6), moves: [] }) },
  int8_product: { scratch: true, axis: ([, , , , after, bias, , M, , L]) => ({
    count: 8, grain: 8, cost: M * L / 30,
    moves: [[0, 4], [3, (L + 1) & ~1], ...(after ? [[4, 4] as const] : []), ...(bias ? [[5, 4] as const] : [])],
  }) },
  attention_forward: attention(4, 0.2), attention_backward: attention(7, 0.5),
}

/** Cuts a call into at most about `most` calls that write apart and take at least `least` nanoseconds each. */
export function split(kind: Kind, args: readonly number[], most: number, least: number = LEAST): readonly (readonly number[])[] {
  if (kind.axis === undefined) return [args]
  const axes = kind.axis(args)
  if (!isList(axes)) return cut(axes, args, most, least)
  let calls: readonly (readonly number[])[] = [args]
  for (const axis of axes) {
    const wanted = Math.ceil(most / calls.length)
    calls = calls.flatMap(call => cut(axis, call, wanted, least))
  }
  return calls
}

const isList = (axes: Axis | readonly Axis[]): axes is readonly Axis[] => Array.isArray(axes)

function cut({ count, moves, first, grain = 1, cost }: Axis, args: readonly number[], most: number, least: number): readonly (readonly number[])[] {
  const units = args[count]
  const pieces = Math.min(most, Math.floor(units * cost / least), Math.ceil(units / grain))
  if (pieces <= 1) return [args]
  const calls: number[][] = []
  for (let i = 0, from = 0; i < pieces; i++) {
    const to = i === pieces - 1 ? units : Math.round(units * (i + 1) / pieces / grain) * grain
    if (to <= from) continue
    const call = [...args]
    call[count] = to - from
    for (const [arg, bytes] of moves) call[arg] += from * bytes
    if (first !== undefined) call[first] += from
    calls.push(call)
    from = to
  }
  return calls
}
