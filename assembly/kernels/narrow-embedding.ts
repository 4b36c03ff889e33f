/**
 * Rows of a frozen table that is kept in fewer bits, by number; widened as they are looked up.
 *
 * embedding_f16_forward:       out[m] = table[ids[m]]                       table: f16 [V, C]; exact
 * embedding_f16_add_forward:   out[m] += table[ids[m]]                      one rounding
 * embedding_int8_forward:      out[m] = table[ids[m]] * scale[ids[m]]       table: int8 [V, C], scale: f32 [V]; one rounding
 * embedding_int8_add_forward:  out[m] += table[ids[m]] * scale[ids[m]]      two roundings: the product, then the sum
 *
 * So a table in int8 gives the bits of the f32 table that holds its products. Its integers come from
 * int8_quantize, a row being an output.
 *
 * out: [M, C]; ids: i32[M] in [0, V). No overlap. No gradient: the table is frozen.
 */
import { halfBits } from '../half'
import { add, mul, splat } from '../lanes'

export function embedding_f16_forward(out: usize, ids: usize, table: usize, M: i32, C: i32): void {
  for (let m = 0; m < M; m++) halfRow(out + (<usize>(m * C) << 2), table + (row(ids, m) * <usize>C << 1), C, false)
}

export function embedding_f16_add_forward(out: usize, ids: usize, table: usize, M: i32, C: i32): void {
  for (let m = 0; m < M; m++) halfRow(out + (<usize>(m * C) << 2), table + (row(ids, m) * <usize>C << 1), C, true)
}

export function embedding_int8_forward(out: usize, ids: usize, table: usize, scale: usize, M: i32, C: i32): void {
  for (let m = 0; m < M; m++) {
    const v = row(ids, m)
    int8Row(out + (<usize>(m * C) << 2), table + v * <usize>C, load<f32>(scale + (v << 2)), C, false)
  }
}

export function embedding_int8_add_forward(out: usize, ids: usize, table: usize, scale: usize, M: i32, C: i32): void {
  for (let m = 0; m < M; m++) {
    const v = row(ids, m)
    int8Row(out + (<usize>(m * C) << 2), table + v * <usize>C, load<f32>(scale + (v << 2)), C, true)
  }
}

// @ts-ignore: decorator
@inline function row(ids: usize, m: i32): usize { return <usize>load<i32>(ids + (<usize>m << 2)) }

function halfRow(out: usize, x: usize, n: i32, onto: bool): void {
  let i = 0
  if (ASC_FEATURE_SIMD) {
    for (; i <= n - 4; i += 4) keep<v128>(out + (<usize>i << 2), halfBits<v128, v128>(v128.load_ext<u16>(x + (<usize>i << 1))), onto)
  }
  for (; i < n; i++) keep<f32>(out + (<usize>i << 2), reinterpret<f32>(halfBits<f32, i32>(<i32>load<u16>(x + (<usize>i << 1)))), onto)
}

function int8Row(out: usize, x: usize, scale: f32, n: i32, onto: bool): void {
  let i = 0
  if (ASC_FEATURE_SIMD) {
    const factor = splat<v128>(scale)
    for (; i <= n - 8; i += 8) {
      const at = out + (<usize>i << 2), w = v128.load_ext<i8>(x + <usize>i)
      keep<v128>(at, mul<v128>(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(w)), factor), onto)
      keep<v128>(at + 16, mul<v128>(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(w)), factor), onto)
    }
  }
  for (; i < n; i++) keep<f32>(out + (<usize>i << 2), <f32>load<i8>(x + <usize>i) * scale, onto)
}

/** Writes, or adds to what is there. */
// @ts-ignore: decorator
@inline function keep<T>(at: usize, value: T, onto: bool): void { store<T>(at, onto ? add<T>(load<T>(at), value) : value) }
