/**
 * Rows of f32 brought to int8 by the module: assembly/kernels/int8-linear.ts defines the integers.
 * @module
 */
import type { Engine } from '../wasm/engine.ts'

/** Integers [rows, columns] and a scale for each row. */
export interface IntegerRows {
  readonly values: Int8Array
  readonly scales: Float32Array
}

/**
 * Quantises rows: each by its largest element, which becomes 127 or -127.
 *
 * @throws RangeError where a number is not finite: it would be lost among integers
 */
export function integerRows(engine: Engine, title: string, values: Float32Array, columns: number): IntegerRows {
  const into = { values: new Int8Array(values.length), scales: new Float32Array(columns === 0 ? 0 : values.length / columns) }
  integerRowsInto(into, engine, title, values, columns)
  return into
}

/** As `integerRows`, into arrays that are there. */
export function integerRowsInto(into: IntegerRows, engine: Engine, title: string, values: Float32Array, columns: number): void {
  const { arena } = engine
  const integers = values.length * 4, scales = Math.ceil((integers + values.length) / 16) * 16
  arena.frame(scales + into.scales.length * 4, block => {
    quantize(engine, title, values, columns, block, block + integers, block + scales)
    into.values.set(new Int8Array(arena.memory.buffer, block + integers, values.length))
    into.scales.set(arena.f32(block + scales, into.scales.length))
  })
}

/** As `integerRows`, into memory that is reserved: integers at `to`, scales at `scale`. */
export function quantizeTo(engine: Engine, title: string, values: Float32Array, columns: number, to: number, scale: number): void {
  engine.arena.frame(values.length * 4, block => quantize(engine, title, values, columns, block, to, scale))
}

function quantize(engine: Engine, title: string, values: Float32Array, columns: number, block: number, to: number, scale: number): void {
  engine.arena.f32(block, values.length).set(values)
  checkFinite(engine, title, block, values.length)
  engine.kernels['int8_quantize'](to, scale, block, columns === 0 ? 0 : values.length / columns, columns)
}

/** RangeError where a number at an address is NaN or infinite. */
export function checkFinite({ arena, kernels }: Engine, title: string, ptr: number, length: number): void {
  const bad = kernels['first_nonfinite'](ptr, length)
  if (bad >= 0) throw new RangeError(`"${title}" expected finite numbers for a narrow format, got ${arena.f32(ptr, length)[bad]}; load it as f32, or mend the checkpoint`)
}
