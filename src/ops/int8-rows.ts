/**
 * Rows of f32 brought to int8 by the module: assembly/kernels/int8-linear.ts defines the integers.
 * @module
 */
import { anInteger } from '../assert.ts'
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
  const { arena, kernels } = engine
  const rows = columns === 0 ? 0 : anInteger(`${title}: rows`, values.length / columns)
  const integers = values.length * 4, scales = Math.ceil((integers + values.length) / 16) * 16
  return arena.frame(scales + rows * 4, block => {
    arena.f32(block, values.length).set(values)
    checkFinite(engine, title, block, values.length)
    kernels['int8_quantize'](block + integers, block + scales, block, rows, columns)
    return {
      values: new Int8Array(arena.memory.buffer, block + integers, values.length).slice(),
      scales: arena.f32(block + scales, rows).slice(),
    }
  })
}

/** RangeError where a number at an address is NaN or infinite. */
export function checkFinite({ arena, kernels }: Engine, title: string, ptr: number, length: number): void {
  const bad = kernels['first_nonfinite'](ptr, length)
  if (bad >= 0) throw new RangeError(`"${title}" expected finite numbers for a narrow format, got ${arena.f32(ptr, length)[bad]}; load it as f32, or mend the checkpoint`)
}
