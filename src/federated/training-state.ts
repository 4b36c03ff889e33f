/**
 * An interrupted training in bytes.
 *
 *   0  seal       32 bytes: SHA-256 of the rest or, with a key, HMAC-SHA-256
 *  32  binding    32 bytes: SHA-256 of what the training is a function of
 *  64  done       u32, steps; little-endian, as all that follows
 *  68  version    u32: 1
 *  72  lossSum    f64
 *  80  values     f32: of the slice, then its momentum where there is one
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'

const SEAL = 32, BINDING = 64, HEAD = 80
const VERSION = 1

/** What a training has done. */
export interface TrainingState {
  readonly values: Float32Array
  readonly done: number
  readonly lossSum: number
}

/** Which training it is, and who may go on with it. */
export interface StateContext {
  /** 32 bytes. */
  readonly binding: Uint8Array
  readonly key?: Uint8Array | undefined
}

/** Bytes of a state. */
export function sealState({ values, done, lossSum }: TrainingState, { binding, key }: StateContext): Uint8Array {
  const bytes = new Uint8Array(HEAD + values.byteLength), view = new DataView(bytes.buffer)
  bytes.set(binding, SEAL)
  view.setUint32(64, done, true)
  view.setUint32(68, VERSION, true)
  view.setFloat64(72, lossSum, true)
  for (let i = 0; i < values.length; i++) view.setFloat32(HEAD + 4 * i, values[i], true)
  bytes.set(sealOf(bytes, key))
  return bytes
}

/**
 * A state from its bytes.
 *
 * @param context.size - values that the training keeps
 * @param context.steps - steps that it has in all
 * @throws TypeError, FormatError where the bytes are not what `sealState` gave for this training and this key
 */
export function openState(bytes: Uint8Array, { size, steps, binding, key }: StateContext & { readonly size: number, readonly steps: number }): TrainingState {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`"saved" expected a Uint8Array, got ${show(bytes)}; pass what save() gave`)
  if (bytes.length < HEAD) throw new FormatError(`"saved" expected a training of at least ${HEAD} bytes, got ${bytes.length}; start it anew`)
  if (!equal(bytes.subarray(0, SEAL), sealOf(bytes, key))) {
    throw new FormatError(`"saved" expected the bytes that save() gave, ${key ? 'sealed with this key' : 'sealed without a key'}, got changed ones or another seal; start the training anew`)
  }
  if (!equal(bytes.subarray(SEAL, BINDING), binding)) {
    throw new FormatError('"saved" expected this training, got one of another plan, state, client or other examples; start this one anew')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const done = view.getUint32(64, true), version = view.getUint32(68, true), lossSum = view.getFloat64(72, true)
  if (version !== VERSION) throw new FormatError(`"saved" expected format ${VERSION}, got ${version}; start the training anew`)
  const values = new Float32Array(size)
  if (bytes.length !== HEAD + values.byteLength || done > steps || !Number.isFinite(lossSum)) {
    throw new FormatError(`"saved" expected ${size} values and at most ${steps} steps, got ${(bytes.length - HEAD) / 4} values and ${done} steps; start the training anew`)
  }
  for (let i = 0; i < size; i++) {
    values[i] = view.getFloat32(HEAD + 4 * i, true)
    if (!Number.isFinite(values[i])) throw new FormatError(`"saved" expected finite numbers, got ${values[i]} as value ${i}; start the training anew`)
  }
  return { values, done, lossSum }
}

function sealOf(bytes: Uint8Array, key: Uint8Array | undefined): Uint8Array {
  if (key === undefined) return sha256(bytes.subarray(SEAL))
  if (!(key instanceof Uint8Array)) throw new TypeError(`"key" expected a Uint8Array, got ${show(key)}; pass 32 random bytes that only the device knows`)
  if (key.length !== 32) throw new RangeError(`"key" expected 32 bytes, got ${key.length}; pass random ones that only the device knows`)
  return hmac(sha256, key, bytes.subarray(SEAL))
}

/** In a time that does not depend on the bytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i]
  return difference === 0
}
