/**
 * Arrays as bytes: integers near zero take few bits (Rice's code, 1971: quotient by 2^k in unary, remainder in k bits),
 * f32 as they lie in memory. Exact, and each block says its own length. docs/replay.md has the format.
 * @module
 */
import { FormatError } from '../errors.ts'

/** Bytes before the payload: magic, count, length of the payload, kind, k, two zeros. */
export const BLOCK_HEADER = 16

/** «SAr1», little-endian. */
const MAGIC = 0x31724153
const F32 = 0, RICE = 1
/** So many ones stand for: the next 32 bits are the number itself. */
const ESCAPE = 23

/** What a block's header says. */
export interface BlockHeader {
  readonly count: number
  /** Bytes of the payload. */
  readonly bytes: number
  readonly kind: 'f32' | 'integers'
  readonly k: number
}

/** A block of integers. */
export function packIntegers(values: Int32Array): Uint8Array {
  const k = parameterOf(values)
  let bits = 0
  for (let i = 0; i < values.length; i++) {
    const quotient = zigzag(values[i]) >>> k
    bits += quotient < ESCAPE ? quotient + 1 + k : ESCAPE + 32
  }
  const out = block(values.length, Math.ceil(bits / 8), RICE, k)
  let at = BLOCK_HEADER, buffer = 0, filled = 0
  const write = (value: number, count: number) => {
    buffer |= value << filled
    for (filled += count; filled >= 8; filled -= 8) {
      out[at++] = buffer & 255
      buffer >>>= 8
    }
  }
  const writeLong = (value: number, count: number) => {
    if (count > 16) write(value & 0xffff, 16)
    write(count > 16 ? value >>> 16 : value, count > 16 ? count - 16 : count)
  }
  for (let i = 0; i < values.length; i++) {
    const code = zigzag(values[i]), quotient = code >>> k
    if (quotient < ESCAPE) {
      write(2 ** quotient - 1, quotient + 1)
      if (k > 0) writeLong(code & (2 ** k - 1), k)
    } else {
      write(2 ** ESCAPE - 1, ESCAPE)
      writeLong(code, 32)
    }
  }
  if (filled > 0) out[at] = buffer & 255
  return out
}

/** A block of f32. */
export function packFloats(values: Float32Array): Uint8Array {
  const out = block(values.length, values.byteLength, F32, 0)
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), BLOCK_HEADER)
  return out
}

/** Reads a header. @throws FormatError where it is none */
export function readHeader(bytes: Uint8Array, title: string): BlockHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const kind = bytes[12], k = bytes[13]
  if (bytes.length < BLOCK_HEADER || view.getUint32(0, true) !== MAGIC || kind > RICE || k > 31 || bytes[14] !== 0 || bytes[15] !== 0) {
    throw new FormatError(`${title} expected the start of a block, got other bytes`)
  }
  return { count: view.getUint32(4, true), bytes: view.getUint32(8, true), kind: kind === F32 ? 'f32' : 'integers', k }
}

/** Reads the payload of a block of f32. */
export function unpackFloats(payload: Uint8Array, { count }: BlockHeader, title: string): Float32Array {
  if (payload.length !== count * 4) throw new FormatError(`${title} expected ${count * 4} bytes, got ${payload.length}`)
  return new Float32Array(payload.slice().buffer)
}

/** Reads the payload of a block of integers. @throws FormatError where bits are missing or left over */
export function unpackIntegers(payload: Uint8Array, { count, k }: BlockHeader, title: string): Int32Array {
  if (count > payload.length * 8) throw new FormatError(`${title} expected at least a bit for each of ${count} integers, got ${payload.length} bytes`)
  const out = new Int32Array(count)
  let at = 0, buffer = 0, filled = 0
  const read = (bits: number): number => {
    while (filled < bits) {
      if (at >= payload.length) throw new FormatError(`${title} expected ${count} integers, but its bytes end before the last`)
      buffer |= payload[at++] << filled
      filled += 8
    }
    const value = buffer & (2 ** bits - 1)
    buffer >>>= bits
    filled -= bits
    return value
  }
  const readLong = (bits: number): number => (bits > 16 ? read(16) + read(bits - 16) * 65536 : read(bits))
  for (let i = 0; i < count; i++) {
    let quotient = 0
    while (quotient < ESCAPE && read(1) === 1) quotient++
    const code = quotient === ESCAPE ? readLong(32) : quotient * 2 ** k + (k > 0 ? readLong(k) : 0)
    out[i] = (code >>> 1) ^ -(code & 1)
  }
  if (at !== payload.length || buffer !== 0) throw new FormatError(`${title} expected no more bits after ${count} integers, got some`)
  return out
}

/** 0, -1, 1, -2, 2 ... as 0, 1, 2, 3, 4 ... */
function zigzag(value: number): number { return ((value << 1) ^ (value >> 31)) >>> 0 }

/** The k near the logarithm of the mean, where the code is shortest. */
function parameterOf(values: Int32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += zigzag(values[i])
  const mean = values.length === 0 ? 0 : sum / values.length
  let k = 0
  while (k < 31 && 2 ** (k + 1) <= mean * 1.4) k++
  return k
}

function block(count: number, bytes: number, kind: number, k: number): Uint8Array {
  const out = new Uint8Array(BLOCK_HEADER + bytes)
  const view = new DataView(out.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, count, true)
  view.setUint32(8, bytes, true)
  out[12] = kind
  out[13] = k
  return out
}
