/**
 * Streams of random bytes: ChaCha20 under a key of their own, HChaCha20(root key, label).
 *
 * The label (16 bytes, little-endian) is: purpose code, index, round (two words). HChaCha20 is a pseudorandom
 * function of the label, so streams of different purpose, index or round are independent. The codes of secret and of
 * public purposes differ, so that even the same root key, given to both sides by mistake, yields different streams.
 * @module
 */
import { anInteger, oneOf } from '../../assert.ts'
import type { Frame } from './scratch.ts'

/** Streams that nobody may know: their root key never leaves the noise source. */
export type SecretPurpose = 'noise' | 'correlated-noise' | 'sampling' | 'mask'
/** Streams that everybody may compute again from a public seed. */
export type PublicPurpose = 'rotation' | 'rounding' | 'slice' | 'order'

const SECRET = 0x5ec0_0000
const PUBLIC = 0x0b1c_0000
const secretPurposes: readonly SecretPurpose[] = ['noise', 'correlated-noise', 'sampling', 'mask']
const publicPurposes: readonly PublicPurpose[] = ['rotation', 'rounding', 'slice', 'order']

/** Which stream: one (purpose, round, index) is one stream. */
export interface StreamId<Purpose extends string> {
  readonly purpose: Purpose
  /** Number of the round. */
  readonly round: number
  /** Client, rank row or attempt within the round; 0 where there is one stream. */
  readonly index?: number
}

/** Starts a secret stream and returns its address. `key`: 32 bytes; the copy in WebAssembly memory is erased. */
export function openSecret(frame: Frame, key: Uint8Array, id: StreamId<SecretPurpose>): number {
  return open(frame, key, SECRET + secretPurposes.indexOf(oneOf('purpose', id.purpose, secretPurposes)), id)
}

/** Starts a public stream and returns its address. `seed`: 32 bytes, published with the plan. */
export function openPublic(frame: Frame, seed: Uint8Array, id: StreamId<PublicPurpose>): number {
  return open(frame, seed, PUBLIC + publicPurposes.indexOf(oneOf('purpose', id.purpose, publicPurposes)), id)
}

/** A key or public seed: 32 bytes. */
export function aKey(title: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`"${title}" expected a Uint8Array, got ${typeof value}`)
  if (value.length !== 32) throw new RangeError(`"${title}" expected 32 bytes, got ${value.length}`)
  return value
}

function open(frame: Frame, key: Uint8Array, code: number, id: StreamId<string>): number {
  const round = anInteger('round', id.round)
  const index = anInteger('index', id.index ?? 0, 0, 0xffff_ffff)
  const label = new Uint8Array(16)
  const words = new DataView(label.buffer)
  words.setUint32(0, code, true)
  words.setUint32(4, index, true)
  words.setUint32(8, round % 2 ** 32, true)
  words.setUint32(12, Math.floor(round / 2 ** 32), true)
  const stream = frame.alloc(frame.kernels.chacha20_stream_bytes())
  const root = frame.put(aKey('key', key))
  frame.kernels.chacha20_start(stream, root, frame.put(label))
  frame.erase(root, 32)
  return stream
}
