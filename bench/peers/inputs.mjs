// Writes what every peer of the training step loads, so that all compute the same:
//   node bench/peers/inputs.mjs OUT [--model FOLDER]
// OUT gets config.json and model.safetensors (MiniLM-L6 shape, seeded; or those of FOLDER, linked), vocab.txt (made up, one
// line a token, since Sotto's loader wants a whole model folder), adapter.safetensors (LoRA rank 8 on query and value,
// named as PEFT does, and head.weight, head.bias) and batch.json (8 x 128 tokens).
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { writeSafetensors } from './safetensors.mjs'

export const RANK = 8
export const ALPHA = 16

export const MINILM = {
  architectures: ['BertModel'], model_type: 'bert', vocab_size: 30522, hidden_size: 384, num_hidden_layers: 6,
  num_attention_heads: 12, intermediate_size: 1536, max_position_embeddings: 512, type_vocab_size: 2,
  hidden_act: 'gelu', layer_norm_eps: 1e-12, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, pad_token_id: 0,
}

/** Small enough to try the bench with. */
export const TINY = {
  ...MINILM, vocab_size: 200, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 64, max_position_embeddings: 64,
}

/** A 32-bit linear congruential generator; uniform in [0, 1) with 24 bits, exact in f32. */
function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 24
  }
}

function uniform(shape, scale, next, centre = 0) {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1))
  for (let i = 0; i < data.length; i++) data[i] = centre + (next() * 2 - 1) * scale
  return { shape, data }
}

function* tensorNames({ vocab_size: V, hidden_size: C, num_hidden_layers: L, intermediate_size: F,
  max_position_embeddings: P, type_vocab_size: S }) {
  yield ['embeddings.word_embeddings.weight', [V, C]]
  yield ['embeddings.position_embeddings.weight', [P, C]]
  yield ['embeddings.token_type_embeddings.weight', [S, C]]
  yield ['embeddings.LayerNorm.weight', [C]]
  yield ['embeddings.LayerNorm.bias', [C]]
  for (let layer = 0; layer < L; layer++) {
    const at = `encoder.layer.${layer}`
    const linear = [['attention.self.query', C, C], ['attention.self.key', C, C], ['attention.self.value', C, C],
      ['attention.output.dense', C, C], ['intermediate.dense', F, C], ['output.dense', C, F]]
    for (const [name, outer, inner] of linear) {
      yield [`${at}.${name}.weight`, [outer, inner]]
      yield [`${at}.${name}.bias`, [outer]]
    }
    for (const name of ['attention.output.LayerNorm', 'output.LayerNorm']) {
      yield [`${at}.${name}.weight`, [C]]
      yield [`${at}.${name}.bias`, [C]]
    }
  }
}

function randomModel(config, next) {
  const tensors = {}
  for (const [name, shape] of tensorNames(config)) {
    const norm = name.endsWith('LayerNorm.weight')
    tensors[name] = uniform(shape, shape.length === 2 ? 0.08 : 0.1, next, norm ? 1 : 0)
  }
  return tensors
}

function adapter({ num_hidden_layers: L, hidden_size: C }, next) {
  const tensors = {}
  for (let layer = 0; layer < L; layer++) {
    for (const site of ['query', 'value']) {
      const at = `base_model.model.encoder.layer.${layer}.attention.self.${site}`
      tensors[`${at}.lora_A.weight`] = uniform([RANK, C], 2 ** -4, next)
      tensors[`${at}.lora_B.weight`] = uniform([C, RANK], 2 ** -5, next)
    }
  }
  tensors['head.weight'] = uniform([2, C], 0.5, next)
  tensors['head.bias'] = uniform([2], 0.125, next)
  return tensors
}

function link(from, to) {
  rmSync(to, { force: true })
  symlinkSync(resolve(from), to)
}

/** Lines of a vocabulary: BERT's special tokens, then words that stand for nothing. */
function vocabulary(size) {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
  return `${Array.from({ length: size }, (_, id) => special[id] ?? `w${id}`).join('\n')}\n`
}

/** A seeded model of a shape, as a folder of Hugging Face. */
export function writeModel(out, config) {
  mkdirSync(out, { recursive: true })
  writeFileSync(`${out}/config.json`, JSON.stringify(config, null, 2))
  writeSafetensors(`${out}/model.safetensors`, randomModel(config, generator(1)))
  writeFileSync(`${out}/vocab.txt`, vocabulary(config.vocab_size))
}

/** `count` sequences of `tokens` seeded token ids, and labels. */
export function makeBatch({ vocab_size: V }, count = 8, tokens = 128) {
  const next = generator(3), first = Math.min(1000, V >> 2)
  const sequences = Array.from({ length: count }, () =>
    Array.from({ length: tokens }, () => first + Math.floor(next() * (V - first))))
  return { sequences, labels: Array.from({ length: count }, (_, i) => [0, 1, 1, 0, 1, 0, 0, 1][i % 8]) }
}

export function writeInputs(out, { model, config = MINILM, count, tokens } = {}) {
  mkdirSync(out, { recursive: true })
  if (model === undefined) {
    writeModel(out, config)
  } else {
    for (const file of ['config.json', 'model.safetensors', 'tokenizer.json']) {
      if (!existsSync(`${model}/${file}`)) throw new Error(`"model" expected a folder with ${file}, got ${model}`)
      link(`${model}/${file}`, `${out}/${file}`)
    }
    config = JSON.parse(readFileSync(`${out}/config.json`, 'utf8'))
  }
  writeSafetensors(`${out}/adapter.safetensors`, adapter(config, generator(2)))
  writeFileSync(`${out}/batch.json`, JSON.stringify(makeBatch(config, count, tokens)))
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const [out, flag, model] = process.argv.slice(2)
  if (!out || (flag !== undefined && flag !== '--model')) {
    console.error('usage: node bench/peers/inputs.mjs OUT [--model FOLDER]')
    process.exit(2)
  }
  writeInputs(out, { model })
}
