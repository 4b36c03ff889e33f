/**
 * Element types of stored tensors, and exact conversion between f16 or bf16 and f32.
 *
 * Conversions work on bits in integer registers: widening is exact for every pattern (denormals, infinities, signed
 * zero, NaN with its payload); narrowing rounds to nearest, ties to even (IEEE 754-2019, 4.3.1), overflows to infinity
 * and keeps a NaN a (quiet) NaN. Bytes are little-endian whatever the host.
 * @module
 */
import { show } from '../assert.ts'

/** Bytes of one element. The order is that of the safetensors library, which sorts files by it. */
const SIZES = {
  BOOL: 1, U8: 1, I8: 1, F8_E5M2: 1, F8_E4M3: 1,
  I16: 2, U16: 2, F16: 2, BF16: 2,
  I32: 4, U32: 4, F32: 4,
  F64: 8, I64: 8, U64: 8,
} as const

/** Name of an element type, as safetensors spells it. */
export type Dtype = keyof typeof SIZES

const ORDER = Object.keys(SIZES) as Dtype[]

/** Whether a string names an element type that this reader knows. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(SIZES, name)
}

/** Bytes of one element. */
export function dtypeSize(dtype: Dtype): number {
  return SIZES[dtype]
}

/** Negative where `a` comes before `b` in a file: wide types first, so that every tensor is aligned to its type. */
export function compareDtypes(a: Dtype, b: Dtype): number {
  return ORDER.indexOf(b) - ORDER.indexOf(a)
}

/** Bits of an f16 to the bits of the equal f32. */
export function widenF16(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return (sign | 0x7f800000 | fraction << 13) >>> 0
  if (exponent !== 0) return (sign | (exponent + 112) << 23 | fraction << 13) >>> 0
  if (fraction === 0) return sign >>> 0
  // A denormal f16 is fraction * 2^-24: move its leading bit to the implicit place.
  const shift = Math.clz32(fraction) - 21
  return (sign | (113 - shift) << 23 | (fraction << (shift + 13)) & 0x7fffff) >>> 0
}

/** Bits of an f32 to the bits of the nearest f16, ties to even. */
export function narrowF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00 | (magnitude >>> 13) & 0x3ff
  // 0x477ff000 is 65520, half way between the largest f16 and the next step: ties to even goes to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13)
  // Below 2^-14 the result is a denormal: fraction with its leading bit, shifted to units of 2^-24.
  const exponent = magnitude >>> 23
  if (exponent < 102) return sign
  return sign | roundShift(magnitude & 0x7fffff | 0x800000, 126 - exponent)
}

/** Bits of a bf16 to the bits of the equal f32. */
export function widenBf16(brain: number): number {
  return (brain << 16) >>> 0
}

/** Bits of an f32 to the bits of the nearest bf16, ties to even. */
export function narrowBf16(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >>> 16 | 0x40
  return roundShift(bits >>> 0, 16)
}

/** `value / 2^shift` rounded to nearest, ties to even, for unsigned 32-bit `value`. */
function roundShift(value: number, shift: number): number {
  const floor = value >>> shift
  const rest = value - floor * 2 ** shift
  const half = 2 ** (shift - 1)
  return rest > half || (rest === half && (floor & 1) === 1) ? floor + 1 : floor
}

/** Whether values of a type can be read as f32: floating types up to 64 bits (f64 is rounded to nearest). */
export function isFloat(dtype: Dtype): boolean {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64'
}

/**
 * Little-endian bytes to f32 values in fresh memory.
 *
 * @throws TypeError where the type is not floating.
 */
export function toF32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const count = bytes.length / dtypeSize(dtype)
  const out = new Float32Array(count)
  const bits = new Uint32Array(out.buffer)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (dtype === 'F32') {
    if (LITTLE_ENDIAN) new Uint8Array(out.buffer).set(bytes)
    else for (let i = 0; i < count; i++) bits[i] = view.getUint32(4 * i, true)
  } else if (dtype === 'F16') {
    for (let i = 0; i < count; i++) bits[i] = widenF16(bytes[2 * i] | bytes[2 * i + 1] << 8)
  } else if (dtype === 'BF16') {
    for (let i = 0; i < count; i++) bits[i] = widenBf16(bytes[2 * i] | bytes[2 * i + 1] << 8)
  } else if (dtype === 'F64') {
    for (let i = 0; i < count; i++) out[i] = view.getFloat64(8 * i, true)
  } else {
    throw new TypeError(`"dtype" expected a floating type (F32, F16, BF16, F64), got ${show(dtype)}`)
  }
  return out
}

/**
 * f32 values to little-endian bytes of a floating type, rounded to nearest even, in fresh memory.
 *
 * @throws TypeError where the type is not floating.
 */
export function fromF32(values: Float32Array, dtype: Dtype): Uint8Array {
  const count = values.length
  const out = new Uint8Array(count * dtypeSize(dtype))
  const view = new DataView(out.buffer)
  const bits = new Uint32Array(values.buffer, values.byteOffset, count)
  if (dtype === 'F32') {
    if (LITTLE_ENDIAN) out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    else for (let i = 0; i < count; i++) view.setUint32(4 * i, bits[i], true)
  } else if (dtype === 'F16') {
    for (let i = 0; i < count; i++) view.setUint16(2 * i, narrowF16(bits[i]), true)
  } else if (dtype === 'BF16') {
    for (let i = 0; i < count; i++) view.setUint16(2 * i, narrowBf16(bits[i]), true)
  } else if (dtype === 'F64') {
    for (let i = 0; i < count; i++) view.setFloat64(8 * i, values[i], true)
  } else {
    throw new TypeError(`"dtype" expected a floating type (F32, F16, BF16, F64), got ${show(dtype)}`)
  }
  return out
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
