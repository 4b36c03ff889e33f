/**
 * One text for one value, so that a hash of it binds: keys sorted, no white space, numbers as the language prints them.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { show } from './assert.ts'

/** Plain data: what JSON can say. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain | undefined }

/**
 * Canonical JSON of plain data; keys whose value is undefined are left out.
 *
 * @throws TypeError for anything that JSON cannot say exactly, such as NaN or a typed array
 */
export function canonicalJson(value: Plain): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`"value" expected finite numbers, got ${value}`)
    return Object.is(value, -0) ? '0' : String(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const proto: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined
  if (proto !== Object.prototype && proto !== null) throw new TypeError(`"value" expected plain data, got ${show(value)}`)
  const record = value as { readonly [key: string]: Plain | undefined }
  const keys = Object.keys(record).filter(key => record[key] !== undefined).sort()
  return `{${keys.map(key => `${JSON.stringify(key)}:${canonicalJson(record[key]!)}`).join(',')}}`
}

/** SHA-256, as a runtime may have it natively. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** SHA-256 of bytes, in hexadecimal; by the library, or faster by what the runtime has. */
export function hashBytes(bytes: Uint8Array, native: Sha256 = sha256): string { return hexOf(native(bytes)) }

/**
 * A hash in hexadecimal, made in one piece: put together digit by digit it would stay a rope of many small strings, of some
 * kilobytes, and a run keeps a hash of each contribution.
 */
function hexOf(hash: Uint8Array): string {
  const codes: number[] = []
  for (const byte of hash) codes.push(digit(byte >> 4), digit(byte & 15))
  return String.fromCharCode(...codes)
}

const digit = (value: number): number => value + (value < 10 ? 48 : 87)

/** SHA-256 of the canonical JSON of plain data, in hexadecimal. */
export function hashOf(value: Plain): string { return hashBytes(new TextEncoder().encode(canonicalJson(value))) }

/** SHA-256 of the bytes of a typed array, little-endian as they lie in memory. */
export function hashArray(array: Float32Array | Int32Array, native?: Sha256): string {
  return hashBytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), native)
}
