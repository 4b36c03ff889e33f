import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { encoderConfig, readConfig } from '../../src/checkpoint/config.ts'
import { openHubModel } from '../../src/checkpoint/hub.ts'
import { parseSafetensors, writeSafetensors } from '../../src/checkpoint/safetensors.ts'
import { openCheckpoint } from '../../src/checkpoint/sharded.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import { namedWeights } from '../../src/checkpoint/weights.ts'
import { rejects } from '../support/rejects.ts'

const BERT = {
  architectures: ['BertModel'], model_type: 'bert', vocab_size: 5, hidden_size: 4, num_hidden_layers: 2,
  num_attention_heads: 2, intermediate_size: 8, hidden_act: 'gelu', max_position_embeddings: 16, type_vocab_size: 2,
  layer_norm_eps: 1e-12, hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0, pad_token_id: 0,
  transformers_version: '4.41.0', unknown_key: { nested: true },
}

const weightsFile = (...tensors: [string, number[]][]): Uint8Array =>
  writeSafetensors(
    new Map(
      tensors.map(([name, shape]) => {
        const count = shape.reduce((a, b) => a * b, 1)
        return [name, { dtype: 'F32' as const, shape, data: Float32Array.from({ length: count }, (_, i) => i) }]
      }),
    ),
    { format: 'pt' },
  )

const folder = (
  config: unknown,
  weights = weightsFile(['bert.embeddings.word_embeddings.weight', [5, 4]]),
  more = {},
) => memorySource({ 'config.json': JSON.stringify(config), 'model.safetensors': weights, ...more })

test('BERT, RoBERTa and DistilBERT configurations come out in one vocabulary', async () => {
  const { config } = await openHubModel(folder(BERT))
  assert.equal(config, {
    architecture: 'bert',
    vocabularySize: 5,
    hiddenSize: 4,
    heads: 2,
    layers: 2,
    intermediateSize: 8,
    activation: 'gelu',
    maxTokens: 16,
    positionOffset: 0,
    tokenTypes: 2,
    layerNormEps: 1e-12,
    hiddenDropout: 0.1,
    attentionDropout: 0,
    labels: [],
  })
  const roberta = encoderConfig({ ...BERT, model_type: 'roberta', pad_token_id: 1, max_position_embeddings: 514,
    type_vocab_size: 1, hidden_act: 'gelu_new', id2label: { 0: 'no', 1: 'yes' } })
  assert.is(roberta.positionOffset, 2)
  assert.is(roberta.maxTokens, 512)
  assert.is(roberta.activation, 'gelu_tanh')
  assert.equal(roberta.labels, ['no', 'yes'])
  const distil = encoderConfig({
    model_type: 'distilbert',
    vocab_size: 5,
    dim: 6,
    n_layers: 1,
    n_heads: 3,
    hidden_dim: 12,
    max_position_embeddings: 512,
    activation: 'relu',
    dropout: 0.2,
    attention_dropout: 0.3,
  })
  assert.equal(distil, {
    architecture: 'distilbert',
    vocabularySize: 5,
    hiddenSize: 6,
    heads: 3,
    layers: 1,
    intermediateSize: 12,
    activation: 'relu',
    maxTokens: 512,
    positionOffset: 0,
    tokenTypes: 0,
    layerNormEps: 1e-12,
    hiddenDropout: 0.2,
    attentionDropout: 0.3,
    labels: [],
  })
})

test('a configuration that cannot be honoured is refused, naming the key', async () => {
  const cases: [object, RegExp][] = [
    [{ hidden_size: 5 }, /"hidden_size" expected a multiple of "num_attention_heads" \(2\), got 5/],
    [{ hidden_size: 0 }, /"hidden_size" expected >=1, got 0/],
    [{ hidden_size: '4' }, /"hidden_size" expected number, got "4"/],
    [{ hidden_size: undefined }, /"hidden_size" expected a value, got none/],
    [{ num_hidden_layers: 1.5 }, /"num_hidden_layers"/],
    [{ num_hidden_layers: 1e9 }, /"num_hidden_layers"/],
    [{ hidden_act: 'toString' }, /"hidden_act" expected one of gelu,.* got "toString"/],
    [{ position_embedding_type: 'relative_key' }, /"position_embedding_type" expected "absolute"/],
    [{ is_decoder: true }, /"is_decoder"/],
    [{ model_type: 'llama' }, /"model_type" expected bert, .* got "llama"/],
    [{ model_type: 3 }, /"model_type" expected string, got 3/],
    [{ layer_norm_eps: 0 }, /"layer_norm_eps"/],
    [{ hidden_dropout_prob: 1 }, /"hidden_dropout_prob"/],
    [{ id2label: { 0: 'a', 2: 'b' } }, /"id2label" expected the ids 0 to 1, got none for 1/],
    [{ vocab_size: 6 }, /word_embeddings.*expected shape \[6, 4\].*got \[5, 4\]/],
  ]
  for (const [change, pattern] of cases) await rejects(openHubModel(folder({ ...BERT, ...change })), pattern)
  await rejects(readConfig(memorySource({})), /file expected "config.json".*got none/)
  await rejects(readConfig(memorySource({ 'config.json': '[]' })), /"config.json" expected a JSON object/)
  await rejects(readConfig(memorySource({ 'config.json': '{"a":1,"a":2}' })), /got "a" again/)
  await rejects(
    openHubModel(memorySource({ 'config.json': JSON.stringify(BERT) })),
    /expected "model.safetensors" or .*got neither/,
  )
})

test('weights are found with and without the prefix, and under their old names', async () => {
  const file = parseSafetensors(
    weightsFile(
      ['bert.embeddings.LayerNorm.gamma', [2]],
      ['bert.embeddings.LayerNorm.beta', [2]],
      ['classifier.weight', [2, 2]],
    ),
  )
  const weights = namedWeights(file, ['bert.'])
  assert.equal([...weights.names].sort(), [
    'classifier.weight',
    'embeddings.LayerNorm.bias',
    'embeddings.LayerNorm.weight',
  ])
  assert.equal([...await weights.f32('embeddings.LayerNorm.weight', [2])], [0, 1])
  assert.is((await weights.range('classifier.weight', 4, 12)).length, 8)
  assert.not(weights.has('bert.embeddings.LayerNorm.gamma'))
  await rejects(
    weights.f32('embeddings.LayerNorm.weight', [3]),
    /bert.embeddings.LayerNorm.gamma.*expected shape \[3\], got \[2\]/,
  )
  await rejects(weights.f32('pooler.dense.weight'), /expected a tensor "pooler.dense.weight", got 3 tensors without it/)
  const twice = parseSafetensors(weightsFile(['bert.x', [1]], ['x', [1]]))
  assert.throws(() => namedWeights(twice, ['bert.']), /expected one tensor for "x", got/)
})

test('shards: the index and the files must agree', async () => {
  const index = (map: object): string => JSON.stringify({ metadata: { total_size: 8 }, weight_map: map })
  const shards = { 'a.safetensors': weightsFile(['x', [2]]), 'b.safetensors': weightsFile(['y', [3]]) }
  const open = (map: object, files: Record<string, Uint8Array> = shards) =>
    openCheckpoint(memorySource({ 'model.safetensors.index.json': index(map), ...files }))
  const file = await open({ x: 'a.safetensors', y: 'b.safetensors' })
  assert.equal(new Float32Array((await file.bytes('y')).buffer), Float32Array.of(0, 1, 2))
  assert.equal(file.tensors.get('x')?.shape, [2])
  await rejects(open({ x: 'a.safetensors', y: 'a.safetensors' }), /"a.safetensors" expected a tensor "y"/)
  await rejects(
    open({ x: 'a.safetensors', y: 'c.safetensors' }),
    /expected the shard "c.safetensors", got no such file/,
  )
  await rejects(
    open({ x: '../a.safetensors' }),
    /expected the name of a .safetensors file beside the index, got "..\/a.safetensors"/,
  )
  await rejects(open({ x: 3 }), /expected the name of a .safetensors file/)
  await rejects(open({ x: 'a.safetensors' }, { 'a.safetensors': weightsFile(['x', [2]], ['z', [1]]) }),
    /expected an entry for tensor "z" of "a.safetensors", got none/)
})

test('pooling is read where it is stated, and refused where it is of another kind', async () => {
  const pooled = (config: object) =>
    openHubModel(folder(BERT, undefined, { '1_Pooling/config.json': JSON.stringify(config) }))
  assert.is((await openHubModel(folder(BERT))).pooling, undefined)
  assert.is((await pooled({ pooling_mode_mean_tokens: true, pooling_mode_cls_token: false })).pooling, 'mean')
  assert.is((await pooled({ pooling_mode_mean_tokens: false, pooling_mode_cls_token: true })).pooling, 'cls')
  await rejects(
    pooled({ pooling_mode_max_tokens: true }),
    /expected pooling_mode_mean_tokens or pooling_mode_cls_token alone/,
  )
})

test.run()
