// The ground of a page or of a dedicated worker in it.
import { answerOf } from './answer.mjs'

const at = (path) => new URL(path, import.meta.url)

async function bytes(path) {
  const response = await fetch(at(path))
  if (!response.ok) throw new Error(`expected ${path}, got status ${response.status}`)
  return response.arrayBuffer()
}

export async function serve(main) {
  const answer = await answerOf(main, {
    runtime: 'browser',
    input: await (await fetch(at('../input.json'))).json(),
    root: at('../files').href,
    file: async (name) => new Uint8Array(await bytes(`../files/${name}`)),
    wasm: async (variant) => WebAssembly.compile(await bytes(`../wasm/sotto.${variant}.wasm`)),
  })
  await fetch(at('../result'), { method: 'POST', body: answer })
}
