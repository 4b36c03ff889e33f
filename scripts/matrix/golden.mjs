// The committed hashes: read, written, compared.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../../src/selftest/golden.gen.ts', import.meta.url))

/** @returns {{ numerics: number, parts: Record<string, string> }} */
export function readGolden() {
  const text = readFileSync(path, 'utf8')
  return JSON.parse(text.slice(text.indexOf('= {') + 2))
}

/** @param {{ numerics: number, parts: readonly { name: string, hash: string }[] }} result */
export function writeGolden({ numerics, parts }) {
  const golden = { numerics, parts: Object.fromEntries(parts.map(({ name, hash }) => [name, hash])) }
  writeFileSync(path, '// Written by `npm run matrix -- --write`: the hashes of this version of the numerics. Another hash is a fault, or another version.\n' +
    `export const golden: { readonly numerics: number, readonly parts: Readonly<Record<string, string>> } = ${JSON.stringify(golden, undefined, 2)}\n`)
}

/**
 * The names of the parts that are not as committed, missing ones among them, in order.
 *
 * @param {{ numerics: number, level: string, parts: readonly { name: string, hash: string }[] }} result
 * @param {{ numerics: number, parts: Record<string, string> }} golden
 */
export function differing({ numerics, level, parts }, golden) {
  if (numerics !== golden.numerics) return [`numerics version ${numerics}, expected ${golden.numerics}`]
  const seen = new Set(parts.map(({ name }) => name))
  return [
    ...parts.filter(({ name, hash }) => golden.parts[name] !== hash).map(({ name }) => name),
    ...level === 'full' ? Object.keys(golden.parts).filter((name) => !seen.has(name)).map((name) => `${name} (not computed)`) : [],
  ]
}
