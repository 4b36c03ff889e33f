/**
 * Random bytes of the system, as the web gives them.
 * @module
 */

/** Most bytes that one call may ask for. */
const MOST = 65536

/**
 * Fills an array of any length.
 *
 * @throws Error where the runtime has no such bytes
 */
export function fillRandom(bytes: Uint8Array): void {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw new Error('random bytes expected crypto.getRandomValues, got a runtime without; nothing can be released with privacy here')
  }
  for (let at = 0; at < bytes.length; at += MOST) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + MOST) as Uint8Array<ArrayBuffer>)
  }
}
