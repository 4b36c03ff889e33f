/**
 * The lines of the specification's test vectors: `operation name=values ... -> name=values ...`. Values: f32 and f64 by
 * their bits, integers, bytes, strings; `~seed:count:size`: numbers of the seeded generator, for arrays that are too long to
 * be written down.
 */
import { random } from '../../src/random.ts'

/** `0x` and 8 digits; `0x` and 16; `#` and digits; anything else: integers and strings, which may be mixed. */
export type Value = Float32Array | Float64Array | Uint8Array | readonly (number | string)[]
export type Values = Record<string, Value>

/** One example of an operation. */
export interface Vector {
  readonly op: string
  readonly given: Values
  /** Undefined where it is still to be computed. */
  readonly gives: Values | undefined
}

const ITEM = /~\d+:\d+:\d+(?:\.\d+)?|"(?:[^"\\]|\\.)*"|#(?:[0-9a-f]{2})*|0x[0-9a-f]+|-?\d+/y
const KEY = /\s*([A-Za-z]\w*)=/y

/** Reads a line. */
export function parseVector(line: string): Vector {
  const [, op, rest] = /^(\w+)\s+(.*)$/.exec(line) ?? []
  if (op === undefined) throw new Error(`vector expected "operation name=value ...", got ${line}`)
  const arrow = / ->\s*/g
  const at = [...rest.matchAll(arrow)].find(match => (rest.slice(0, match.index).match(/(?<!\\)"/g) ?? []).length % 2 === 0)
  return {
    op, given: parseValues(at ? rest.slice(0, at.index) : rest), gives: at ? parseValues(rest.slice(at.index + at[0].length)) : undefined,
  }
}

function parseValues(text: string): Values {
  const values: Values = {}
  let at = 0
  const next = (pattern: RegExp) => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) throw new Error(`vector expected ${pattern.source} at ${at}, got ${text.slice(at, at + 30)}`)
    at = pattern.lastIndex
    return match
  }
  while (at < text.trimEnd().length) {
    const [, key] = next(KEY), items = []
    do {
      if (text[at] === ',') at++
      items.push(next(ITEM)[0])
    } while (text[at] === ',')
    values[key] = parseItems(items)
  }
  return values
}

function parseItems(items: readonly string[]): Value {
  const [first] = items
  if (first.startsWith('~')) {
    const [seed, count, size] = first.slice(1).split(':').map(Number), source = random('vector', seed)
    return Float32Array.from({ length: count }, () => (2 * source.uniform() - 1) * size)
  }
  if (first.startsWith('#')) return Uint8Array.from(first.slice(1).match(/../g) ?? [], pair => parseInt(pair, 16))
  if (first.startsWith('0x')) {
    if (items.some(item => item.length !== first.length || (item.length !== 10 && item.length !== 18))) {
      throw new Error(`vector expected 8 or 16 digits each, got ${items.join(',')}`)
    }
    if (first.length === 10) return new Float32Array(Uint32Array.from(items, item => Number(item)).buffer)
    return new Float64Array(BigUint64Array.from(items, item => BigInt(item)).buffer)
  }
  return items.map(item => item.startsWith('"') ? JSON.parse(item) as string : Number(item))
}

/** Writes values as they stand in a line; every NaN as 0x7fc00000, since its bits are not specified. */
export function printValue(value: Value): string {
  if (value instanceof Uint8Array) return `#${hex(value)}`
  if (value instanceof Float32Array) return [...new Uint32Array(value.map(x => Number.isNaN(x) ? NaN : x).buffer)].map(bits => `0x${bits.toString(16).padStart(8, '0')}`).join(',')
  if (value instanceof Float64Array) return [...new BigUint64Array(value.slice().buffer)].map(bits => `0x${bits.toString(16).padStart(16, '0')}`).join(',')
  return value.map(item => typeof item === 'string' ? JSON.stringify(item) : String(item)).join(',')
}

/** Writes a line. */
export function printVector({ op, given, gives }: Vector): string {
  const print = (values: Values) => Object.entries(values).map(([key, value]) => `${key}=${printValue(value)}`).join(' ')
  return gives ? `${op} ${print(given)} -> ${print(gives)}` : `${op} ${print(given)}`
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string { return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('') }

/** The vectors of a page: the lines of its fences tagged `vector`, with their line numbers. */
export function vectorsOf(text: string): { line: number, text: string }[] {
  const found: { line: number, text: string }[] = []
  let inside = false
  text.split('\n').forEach((line, i) => {
    if (line.startsWith('```')) inside = line === '```vector'
    else if (inside && line.trim() !== '') found.push({ line: i, text: line })
  })
  return found
}
