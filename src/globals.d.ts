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

declare namespace WebAssembly {
  interface Module { readonly __module?: never }
  interface Memory {
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  var Module: { new (bytes: ArrayBufferView): Module }
  var Memory: { new (descriptor: { initial: number, maximum?: number, shared?: boolean }): Memory }
  interface Instance { readonly exports: Record<string, unknown> }
  function validate(bytes: Uint8Array): boolean
}
