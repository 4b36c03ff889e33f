/**
 * JSON from a stranger: bytes must be UTF-8, nesting is bounded before anything recurses, and a key that comes twice
 * in one object is an error (JSON.parse keeps the last in silence, so two readers could see two different files).
 * @module
 */
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** What `parseJson` returns. */
export interface ParsedJson {
  /** The value, as JSON.parse gives it: a key `__proto__` is an own property like any other. */
  readonly value: unknown
  /** For each key of the outermost object, the byte at which the key starts, counted from the start of `bytes`. */
  readonly keyBytes: ReadonlyMap<string, number>
}

/**
 * Parses JSON strictly.
 *
 * @param bytes UTF-8 text, without a byte order mark.
 * @param title What the text is, for errors: a file's name.
 * @param firstByte Where `bytes` starts in its file, for errors.
 * @param maxDepth The deepest nesting that is accepted.
 * @throws FormatError, naming the byte.
 */
export function parseJson(bytes: Uint8Array, title: string, firstByte = 0, maxDepth = 64): ParsedJson {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FormatError(`${show(title)} expected UTF-8 text from byte ${firstByte}, got bytes that are not UTF-8`)
  }
  const keyBytes = scan(bytes, title, firstByte, maxDepth)
  try {
    return { value: JSON.parse(text), keyBytes }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new FormatError(
      `${show(title)} expected JSON in bytes ${firstByte} to ${firstByte + bytes.length}, ` +
        `got text that is not: ${detail}`,
    )
  }
}

/** Finds the depth and repeated keys. Syntax is left to JSON.parse, so a text that is not JSON may pass here. */
function scan(bytes: Uint8Array, title: string, firstByte: number, maxDepth: number): Map<string, number> {
  const keyBytes = new Map<string, number>()
  const open: (Set<string> | undefined)[] = []
  const decoder = new TextDecoder()
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      open.push(byte === OPEN_BRACE ? new Set() : undefined)
      if (open.length > maxDepth) {
        throw new FormatError(
          `${show(title)} expected JSON nested at most ${maxDepth} deep, got more at byte ${firstByte + i}`,
        )
      }
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      open.pop()
    } else if (byte === QUOTE) {
      const start = i
      i++
      while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1
      const keys = open[open.length - 1]
      if (keys === undefined || !isKey(bytes, i + 1)) continue
      const key = unquote(decoder.decode(bytes.subarray(start, i + 1)))
      if (key === undefined) continue
      if (keys.has(key)) {
        throw new FormatError(
          `${show(title)} expected each key once, got ${show(key)} again at byte ${firstByte + start}`,
        )
      }
      keys.add(key)
      if (open.length === 1) keyBytes.set(key, firstByte + start)
    }
  }
  return keyBytes
}

function isKey(bytes: Uint8Array, from: number): boolean {
  let i = from
  while (i < bytes.length && (bytes[i] === 0x20 || bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x09)) i++
  return bytes[i] === COLON
}

function unquote(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string
  } catch {
    return undefined
  }
}

/** A JSON object (not an array, not null) or a FormatError. */
export function asObject(value: unknown, title: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new FormatError(`${show(title)} expected a JSON object, got ${show(value)}`)
  }
  return value as Record<string, unknown>
}
