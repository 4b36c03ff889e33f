/**
 * Universal Sentence Encoder Lite under plain names, whichever file it comes from: the TensorFlow.js shards of its npm
 * packages, read through the view that is made here, or a safetensors file that has these names already.
 *
 *   embeddings          [vocabulary, width]: the graph's table times two, as the graph scales it
 *   timing.rates        [1, width / 2]
 *   NAME.weight         [outputs, inputs]: the graph's kernels are [inputs, outputs]
 *   NAME.bias           [outputs]
 * @module
 */
import { FormatError } from '../errors.ts'
import { fromF32 } from './dtype.ts'
import { readF32, tensorInfo } from './tensor-file.ts'
import type { TensorFile, TensorInfo } from './tensor-file.ts'

const KONA = 'Encoder_en/KonaTransformer/Encode/'
const APPLY = 'module_apply_default/', PART = '/ConcatPartitions/concat'
const TABLE = 'module/Embeddings_en'

/** What a tensor is called in the graph, and how its values are brought to ours. */
interface Source {
  readonly stored: string
  readonly how: 'as is' | 'twice' | 'flipped'
}

/** The view of an opened TensorFlow.js model. FormatError where it is another model. */
export function useLiteFile(file: TensorFile): TensorFile {
  if (!file.tensors.has(TABLE)) {
    throw new FormatError(`"model.json" expected Universal Sentence Encoder Lite (a tensor "${TABLE}"), got another model`)
  }
  const sources = new Map<string, Source>([
    ['embeddings', { stored: TABLE, how: 'twice' }],
    ['timing.rates', { stored: `${APPLY}${KONA}TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1`, how: 'as is' }],
    ...layer(0), ...layer(1),
    ['tanh.weight', { stored: 'module/Encoder_en/hidden_layers/tanh_layer_0/weights', how: 'flipped' }],
    ['tanh.bias', { stored: 'module/Encoder_en/hidden_layers/tanh_layer_0/bias', how: 'as is' }],
  ])
  for (const [name, { stored }] of sources) if (/\.residual\./.test(name) && !file.tensors.has(stored)) sources.delete(name)
  const tensors = new Map([...sources].map(([name, source]) => [name, info(file, name, source)]))
  // tensors are read in pieces, one tensor after another
  let last: { readonly name: string, readonly bytes: Uint8Array } | undefined
  const view: TensorFile = Object.freeze({
    title: file.title, tensors, metadata: file.metadata,
    bytes: (name: string) => view.range(name, 0, tensorInfo(view, name).byteLength),
    async range(name: string, start: number, end: number, into?: Uint8Array) {
      const { stored, how } = sources.get(tensorInfo(view, name).name)!
      if (how === 'as is') return file.range(stored, start, end, into)
      if (how === 'flipped') {
        if (last?.name !== name) last = { name, bytes: fromF32(flipped(await readF32(file, stored), view.tensors.get(name)!.shape), 'F32') }
        return last.bytes.slice(start, end)
      }
      const bytes = await file.range(stored, start, end, into), values = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let i = 0; i < bytes.length; i += 4) values.setFloat32(i, 2 * values.getFloat32(i, true), true)
      return bytes
    },
  })
  return view
}

function layer(i: number): [string, Source][] {
  const plain = `${APPLY}${KONA}Layer_${i}/TransformerLayer/`
  const raw = `module/${KONA}Layer_${i}/TransformerLayer/MultiheadAttention/`
  const stack = `${APPLY}${KONA}TransformerStack/Layer_${i}/TransformerLayer/`
  const norm = (name: string, at: string): [string, Source][] => [
    [`layer.${i}.${name}.weight`, { stored: `${plain}${at}layer_norm_scale${PART}`, how: 'as is' }],
    [`layer.${i}.${name}.bias`, { stored: `${plain}${at}layer_norm_bias${PART}`, how: 'as is' }],
  ]
  const linear = (name: string, kernel: string, bias: string): [string, Source][] => [
    [`layer.${i}.${name}.weight`, { stored: kernel, how: 'flipped' }],
    [`layer.${i}.${name}.bias`, { stored: `${plain}${bias}/bias${PART}`, how: 'as is' }],
  ]
  return [
    ...norm('norm', 'layer_prepostprocess/layer_norm/'),
    ...linear('qkv', `${raw}qkv_transform_single/kernel/part_0`, 'MultiheadAttention/qkv_transform_single'),
    ...linear('output', `${raw}output_transform_single/kernel/part_0`, 'MultiheadAttention/output_transform_single'),
    ...linear('residual', `${plain}dense/kernel${PART}`, 'dense'),
    ...norm('inner_norm', 'FFN/layer_prepostprocess/layer_norm/'),
    ...linear('up', `${stack}FFN/conv1/Tensordot/Reshape_1`, 'FFN/conv1'),
    ...linear('down', `${stack}FFN/conv2/Tensordot/Reshape_1`, 'FFN/conv2'),
  ]
}

/** The tensor as it is seen; a kernel may have sizes of 1 before its own two. */
function info(file: TensorFile, name: string, { stored, how }: Source): TensorInfo {
  const { dtype, shape, byteLength } = tensorInfo(file, stored)
  if (dtype !== 'F32') throw new FormatError(`tensor "${stored}" expected type F32, got ${dtype}`)
  if (how !== 'flipped') return Object.freeze({ name, dtype, shape, byteLength })
  const [outputs, inputs] = [shape[shape.length - 1], shape[shape.length - 2]]
  if (shape.length < 2 || outputs * inputs * 4 !== byteLength) throw new FormatError(`tensor "${stored}" expected a matrix, got shape [${shape.join(', ')}]`)
  return Object.freeze({ name, dtype, shape: Object.freeze([outputs, inputs]), byteLength })
}

/** [inputs, outputs] to [outputs, inputs]. */
function flipped(values: Float32Array, [outputs, inputs]: readonly number[]): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < inputs; i++) for (let j = 0; j < outputs; j++) out[j * inputs + i] = values[i * outputs + j]
  return out
}
