/**
 * Weights under the names that an architecture uses, whatever the file calls them: a task model saves
 * `bert.encoder...`, a bare encoder `encoder...`, and files converted from TensorFlow say `gamma` and `beta`.
 * @module
 */
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { readF32, tensorInfo } from './tensor-file.ts'
import type { TensorFile, TensorInfo } from './tensor-file.ts'

/** The weights of one model. */
export interface Weights {
  /** The plain names: without the architecture's prefix, `gamma` and `beta` as `weight` and `bias`. */
  readonly names: readonly string[]
  /** Whether there is a tensor of that plain name. */
  has(name: string): boolean
  /** Its shape and type. Throws FormatError where there is none, RangeError where the shape differs. */
  info(name: string, shape?: readonly number[]): TensorInfo
  /** Its values as f32, in fresh memory. Throws as `info` does, and FormatError where its type is not floating. */
  f32(name: string, shape?: readonly number[]): Promise<Float32Array>
  /** Its bytes `start` .. `end` as stored, at the start of `into` or in fresh memory. Throws as `info` does. */
  range(name: string, start: number, end: number, into?: Uint8Array): Promise<Uint8Array>
  /** Free text that the file carries. */
  readonly metadata: ReadonlyMap<string, string>
}

/**
 * Gives a checkpoint's tensors their plain names.
 *
 * @param prefixes Prefixes that may be left out, e.g. `['bert.']`.
 * @throws FormatError where two tensors have the same plain name.
 */
export function namedWeights(file: TensorFile, prefixes: readonly string[]): Weights {
  const stored = new Map<string, string>()
  for (const name of file.tensors.keys()) {
    const plain = plainName(name, prefixes)
    const other = stored.get(plain)
    if (other !== undefined) {
      throw new FormatError(
        `${show(file.title)} expected one tensor for ${show(plain)}, got ${show(other)} and ${show(name)}`,
      )
    }
    stored.set(plain, name)
  }
  // A name that is not there is looked up as it is, so that the error names it and what is near.
  const find = (name: string): string => stored.get(name) ?? name
  return Object.freeze({
    names: Object.freeze([...stored.keys()]),
    has: (name: string) => stored.has(name),
    info: (name: string, shape?: readonly number[]) => tensorInfo(file, find(name), shape),
    f32: async (name: string, shape?: readonly number[]) => readF32(file, find(name), shape),
    range: async (name: string, start: number, end: number, into?: Uint8Array) => file.range(tensorInfo(file, find(name)).name, start, end, into),
    metadata: file.metadata,
  })
}

function plainName(name: string, prefixes: readonly string[]): string {
  const prefix = prefixes.find(prefix => name.startsWith(prefix)) ?? ''
  return name.slice(prefix.length).replace(/\bgamma$/, 'weight').replace(/\bbeta$/, 'bias')
}
