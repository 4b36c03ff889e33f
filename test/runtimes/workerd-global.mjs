// A host made at an edge worker's global scope, where nothing random, timed or remote may be asked for; used in a handler.
import scalar from '../wasm/sotto.scalar.wasm'
import simd from '../wasm/sotto.simd.wasm'
import { loadModel } from '../../src/model/load.ts'
import { workerd } from '../../src/runtime/workerd.ts'

const asked = []
const files = { fetch: (url, init) => {
  asked.push(new URL(url).pathname)
  return fetch(`${asked.root}${new URL(url).pathname}`, init)
} }
const host = workerd({ wasm: { simd, scalar }, files })

export async function main({ root }) {
  asked.root = root
  const { tokenizer, encoder } = await loadModel(host, 'tiny-bert')
  return { width: encoder.embeddingWidth, ids: [...tokenizer.encode('win money', 8)], asked: asked.includes('/tiny-bert/config.json') }
}
