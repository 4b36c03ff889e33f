// Three epochs of LoRA on the upper half of the layers, with and without activations kept from the first epoch, in turn.
import { attachLora, loadModel, sgd, sliceOf, textClassifier, trainStep } from '../../dist/index.js'
import { node } from '../../dist/runtime/node.js'
import { PrefixCache } from '../../dist/train/prefix-cache.js'
import { generator, median, timed } from '../lib/timing.mjs'

const { inputs, layers, examples, tokens, vocabulary, repeats } = JSON.parse(process.argv[2])

const { encoder } = await loadModel(node(), inputs, { format: 'int8' })
const sites = layers.flatMap((layer) => ['query', 'value'].map((site) => `layer.${layer}.attention.self.${site}`))
const task = textClassifier({ encoder, labels: ['a', 'b'], adapter: attachLora(encoder, { rank: 8, alpha: 16, sites }) })
const next = generator(3)
const texts = Array.from({ length: examples }, () => Array.from({ length: tokens }, () => Math.floor(next() * vocabulary)))
const slice = sliceOf(task), start = [...task.parameters].map(([, tensor]) => [tensor, tensor.read()])

function train(cache) {
  for (const [tensor, values] of start) tensor.write(values)
  const optimizer = sgd({ learningRate: 0.05 })
  let loss = 0
  for (let epoch = 0; epoch < 3; epoch++) {
    for (let from = 0; from < examples; from += 4) {
      const batch = [0, 1, 2, 3].map((i) => from + i)
      loss = trainStep(task, task.pack(batch.map((i) => texts[i])), Int32Array.from(batch, (i) => i % 2), slice, optimizer, {
        prefix: cache && { cache, examples: batch },
      }).loss
    }
  }
  return loss
}

const losses = new Set(), plain = [], kept = []
for (let i = 0; i <= repeats; i++) {
  plain.push(timed(() => losses.add(train(undefined))))
  kept.push(timed(() => losses.add(train(new PrefixCache()))))
}
console.log(JSON.stringify({ ratio: median(plain.slice(1).map((ms, i) => ms / kept[i + 1])), plainMs: median(plain), keptMs: median(kept), same: losses.size === 1 }))
