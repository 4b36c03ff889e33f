/**
 * The files of a trained model.
 * @module
 */
import { writeSafetensors } from '../checkpoint/safetensors.ts'
import type { TensorData } from '../checkpoint/safetensors.ts'
import { NUMERICS_KEY, NUMERICS_VERSION } from '../numerics.ts'
import { exportAdapter } from '../peft/checkpoint.ts'
import type { Classifier } from '../train/classifier.ts'

/** An adapter as PEFT has it, or all weights; and head and labels. */
export function trainedFiles(classifier: Classifier): Record<string, Uint8Array | string> {
  if (classifier.adapter !== undefined) return exportAdapter(classifier)
  const tensors = new Map<string, TensorData>()
  for (const tensor of classifier.encoder.tensors) tensors.set(tensor.name, { dtype: 'F32', shape: tensor.shape, data: tensor.read() })
  const { weight, bias } = classifier.head
  const head = new Map<string, TensorData>([
    ['head.weight', { dtype: 'F32', shape: [weight.outputs, weight.inputs], data: weight.read() }],
    ['head.bias', { dtype: 'F32', shape: [weight.outputs], data: bias?.read() ?? new Float32Array(weight.outputs) }],
  ])
  const { architecture } = classifier.encoder, metadata = { format: 'pt', [NUMERICS_KEY]: String(NUMERICS_VERSION) }
  return {
    'model.safetensors': writeSafetensors(tensors, metadata),
    'head.safetensors': writeSafetensors(head, metadata),
    'classifier.json': `${JSON.stringify({ architecture, labels: classifier.labels }, null, 2)}\n`,
  }
}
