// The ground of runtimes that are a process with files: Node, Deno, Bun.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { answerOf } from './answer.mjs'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

export async function serve(main) {
  const answer = await answerOf(main, {
    runtime: 'process',
    input: JSON.parse(readFileSync(at('../input.json'), 'utf8')),
    root: at('../files'),
    file: async (name) => new Uint8Array(readFileSync(at(`../files/${name}`))),
    wasm: (variant) => WebAssembly.compile(readFileSync(at(`../wasm/sotto.${variant}.wasm`))),
  })
  writeFileSync(at('../result.json'), answer)
  globalThis.process.exit(0)
}
