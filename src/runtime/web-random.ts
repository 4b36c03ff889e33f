/**
 * Random bytes of the system, as the web gives them.
 * @module
 */

/** Most bytes that one call may ask for. */
const MOST = 65536

/** Fills an array of any length. */
export function fillRandom(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += MOST) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + MOST) as Uint8Array<ArrayBuffer>)
  }
}
