/**
 * Plain data compared.
 * @module
 */
import { canonicalJson } from '../canonical.ts'
import type { Plain } from '../canonical.ts'
import { show } from '../assert.ts'

/** Where two values part: the path of keys, and what is there. */
export interface PlainDifference { readonly path: string, readonly expected: string, readonly got: string }

/** The first place, in the order of keys, at which two values differ; undefined where they are equal. */
export function plainDifference(expected: unknown, got: unknown, path = ''): PlainDifference | undefined {
  if (isList(expected) && isList(got) || isRecord(expected) && isRecord(got)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(got)])]
    for (const key of isList(expected) ? keys : keys.sort()) {
      const a = (expected as Record<string, unknown>)[key], b = (got as Record<string, unknown>)[key]
      const inner = plainDifference(a, b, isList(expected) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`)
      if (inner) return inner
    }
    return undefined
  }
  // -0 is written as 0
  return expected === got ? undefined : { path, expected: shown(expected), got: shown(got) }
}

/** The same, some keys first: those that others follow from. */
export function orderedDifference(expected: object, got: object, first: readonly string[]): PlainDifference | undefined {
  const at = (value: object, key: string) => (value as Record<string, unknown>)[key]
  for (const key of first) {
    const found = plainDifference(at(expected, key), at(got, key), key)
    if (found) return found
  }
  return plainDifference(expected, got)
}

/** Whether two plain values have one canonical text. */
export function samePlain(a: unknown, b: unknown): boolean { return canonicalJson(a as Plain) === canonicalJson(b as Plain) }

function shown(value: unknown): string { return value === undefined ? 'none' : show(value) }

function isList(value: unknown): value is unknown[] { return Array.isArray(value) }

function isRecord(value: unknown): value is Record<string, unknown> { return value !== null && typeof value === 'object' && !Array.isArray(value) }
