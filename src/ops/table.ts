/**
 * Tables whose rows are looked up by number, behind one small interface: dense f32 tensors that may be trained, and frozen
 * tables in f16 or int8, whose rows are widened as they are looked up (assembly/kernels/narrow-embedding.ts).
 * @module
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { Kernels } from '../wasm/instantiate.ts'
import { checkFinite, quantizeTo } from './int8-rows.ts'
import type { IntegerRows } from './int8-rows.ts'

/** How a frozen table is kept. */
export type TableFormat = 'f32' | 'f16' | 'int8'

/** Rows [rows, columns]. */
export interface Table {
  readonly name: string
  readonly rows: number
  readonly columns: number
  /** The tensor, where the table can be trained. */
  readonly dense: Tensor | undefined
  /** y[M, columns] = (y if accumulate, else 0) + the rows of ids[M]. `table`: address of the dense tensor, else 0. */
  lookup(kernels: Kernels, y: number, ids: number, table: number, M: number, accumulate: boolean): void
  /** Overwrites rows from `from` on, rounding to the format; int8 takes rows that are integers as they are. */
  write(values: Float32Array | IntegerRows, from: number): void
}

/** A tensor as a table. */
export function denseTable(tensor: Tensor): Table {
  return Object.freeze({
    name: tensor.name, rows: tensor.rows, columns: tensor.columns, dense: tensor,
    lookup(k: Kernels, y: number, ids: number, table: number, M: number, accumulate: boolean) {
      k[accumulate ? 'embedding_add_forward' : 'embedding_forward'](y, ids, table, M, tensor.columns)
    },
    write(values: Float32Array | IntegerRows, from: number) { tensor.write(floats(tensor.name, values), from) },
  })
}

/** Memory for a frozen table; its contents are unspecified until they are written, here or by another thread. */
export function narrowTable(engine: Engine, name: string, format: Exclude<TableFormat, 'f32'>, rows: number, columns: number): Table {
  return format === 'f16' ? halfTable(engine, name, rows, columns) : int8Table(engine, name, rows, columns)
}

function halfTable(engine: Engine, name: string, rows: number, columns: number): Table {
  const { arena, kernels } = engine
  const ptr = arena.reserve(rows * columns * 2)
  return Object.freeze({
    name, rows, columns, dense: undefined,
    lookup(k: Kernels, y: number, ids: number, _: number, M: number, accumulate: boolean) {
      k[accumulate ? 'embedding_f16_add_forward' : 'embedding_f16_forward'](y, ids, ptr, M, columns)
    },
    write(given: Float32Array | IntegerRows, from: number) {
      const values = floats(name, given)
      arena.frame(values.length * 4, block => {
        arena.f32(block, values.length).set(values)
        checkHalf(engine, name, block, values.length)
        kernels['f32_to_f16'](ptr + from * columns * 2, block, values.length)
      })
    },
  })
}

function int8Table(engine: Engine, name: string, rows: number, columns: number): Table {
  const { arena } = engine
  const scale = arena.reserve(rows * 4), ptr = arena.reserve(rows * columns)
  return Object.freeze({
    name, rows, columns, dense: undefined,
    lookup(k: Kernels, y: number, ids: number, _: number, M: number, accumulate: boolean) {
      k[accumulate ? 'embedding_int8_add_forward' : 'embedding_int8_forward'](y, ids, ptr, scale, M, columns)
    },
    write(given: Float32Array | IntegerRows, from: number) {
      if (given instanceof Float32Array) {
        quantizeTo(engine, name, given, columns, ptr + from * columns, scale + from * 4)
        return
      }
      new Int8Array(arena.memory.buffer, ptr + from * columns, given.values.length).set(given.values)
      arena.f32(scale + from * 4, given.scales.length).set(given.scales)
    },
  })
}

/** Numbers as f16, nearest, ties to even, as little-endian bytes. RangeError as `checkHalf`. */
export function halfRows(engine: Engine, title: string, values: Float32Array): Uint8Array {
  const { arena, kernels } = engine
  const narrow = values.length * 4
  return arena.frame(narrow + values.length * 2, block => {
    arena.f32(block, values.length).set(values)
    checkHalf(engine, title, block, values.length)
    kernels['f32_to_f16'](block + narrow, block, values.length)
    return arena.u8(block + narrow, values.length * 2).slice()
  })
}

/** RangeError where a number is not finite, or rounds to an infinity in f16. */
export function checkHalf(engine: Engine, title: string, ptr: number, length: number): void {
  checkFinite(engine, title, ptr, length)
  const most = engine.kernels['max_abs'](ptr, length)
  if (!(most < 65520)) throw new RangeError(`"${title}" expected numbers below 65520 for f16, got ${most}; use int8 or f32`)
}

function floats(name: string, values: Float32Array | IntegerRows): Float32Array {
  if (values instanceof Float32Array) return values
  throw new TypeError(`"${name}" expected f32 rows, got integers`)
}
