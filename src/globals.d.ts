/**
 * The few globals, beyond the language itself, that portable code may use: every runtime has them.
 */
interface TextEncoder {
  encode(text?: string): Uint8Array
}
declare var TextEncoder: { new (): TextEncoder }

interface TextDecoder {
  decode(bytes?: Uint8Array): string
}
declare var TextDecoder: { new (label?: string, options?: { fatal?: boolean, ignoreBOM?: boolean }): TextDecoder }
