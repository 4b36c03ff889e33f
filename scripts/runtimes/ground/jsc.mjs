// The ground of the jsc shell: no modules, no fetch, no text encoders, no crypto. What portable code needs is added.
import { answerOf } from './answer.mjs'

const { readFile, print, quit } = globalThis
const folder = globalThis.arguments[0]
const bytes = (path) => new Uint8Array(readFile(`${folder}/${path}`, 'binary'))

globalThis.TextEncoder ??= class {
  encode(text = '') {
    const escaped = unescape(encodeURIComponent(String(text).toWellFormed()))
    return Uint8Array.from(escaped, (letter) => letter.charCodeAt(0))
  }
}
globalThis.TextDecoder ??= class {
  #options
  constructor(_label, options = {}) { this.#options = options }
  decode(view = new Uint8Array()) {
    const source = ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view)
    const parts = []
    for (let i = 0; i < source.length; i += 8192) parts.push(String.fromCharCode(...source.subarray(i, i + 8192)))
    // wrong UTF-8 throws, as with { fatal: true }
    const text = decodeURIComponent(escape(parts.join('')))
    return text.startsWith('\uFEFF') && !this.#options.ignoreBOM ? text.slice(1) : text
  }
}
globalThis.performance ??= { now: () => globalThis.preciseTime() * 1000 }

// bytes of the system's generator, put into a file by the driver
let drawn = 0
globalThis.crypto ??= {
  getRandomValues(view) {
    const pool = bytes('random.bin'), out = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    if (drawn + out.length > pool.length) throw new Error('the random bytes of the jsc shell are used up')
    out.set(pool.subarray(drawn, drawn += out.length))
    return view
  },
}

export async function serve(main) {
  const answer = await answerOf(main, {
    runtime: 'jsc',
    input: JSON.parse(readFile(`${folder}/input.json`)),
    root: `${folder}/files`,
    file: async (name) => bytes(`files/${name}`),
    wasm: async (variant) => new WebAssembly.Module(bytes(`wasm/sotto.${variant}.wasm`)),
  })
  print(`ANSWER ${answer}`)
  quit()
}
