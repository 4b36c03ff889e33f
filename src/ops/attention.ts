/**
 * Multi-head attention over packed sequences of different lengths: no padding, no mask (assembly/kernels/attention.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass } from './pass.ts'

/** The sequences of a batch: sequence s holds the rows offsets[s] .. offsets[s + 1]. */
export interface Sequences {
  readonly offsets: Value
  readonly count: number
  readonly longest: number
}

/** Sizes and scale of attention. */
export interface AttentionShape {
  readonly heads: number
  readonly causal?: boolean
  /** Scores are q k^T * scale; default 1 / sqrt(columns of a head). */
  readonly scale?: number
}

/** q, k, v [M, C] to [M, C]. */
export function attention(
  pass: Pass, layer: string, q: Value, k: Value, v: Value, sequences: Sequences, shape: AttentionShape,
): Value {
  return run(pass, layer, [q, k, v], [q, k, v], [0, 0, 0], q.shape[1], sequences, shape)
}

/** One fused [M, 3 C] value, columns q then k then v, to [M, C]. */
export function fusedAttention(pass: Pass, layer: string, qkv: Value, sequences: Sequences, shape: AttentionShape): Value {
  const C = qkv.shape[1] / 3
  return run(pass, layer, [qkv], [qkv, qkv, qkv], [0, C * 4, 2 * C * 4], C, sequences, shape)
}

function run(
  pass: Pass, layer: string, inputs: readonly Value[], parts: readonly Value[], skips: readonly number[], C: number,
  { offsets, count, longest }: Sequences, { heads: H, causal = false, scale = 1 / Math.sqrt(C / H) }: AttentionShape,
): Value {
  const { graph } = pass
  const M = inputs[0].shape[0], D = C / H, ld = inputs[0].shape[1]
  if (!Number.isInteger(D)) throw new RangeError(`"${layer}" expected a width that ${H} heads divide, got ${C}`)
  const flag = causal ? 1 : 0
  const scratch = graph.engine.kernels['attention_scratch'](longest, D)
  const out = graph.value([M, C], inputs.some(value => value.trains))
  graph.node({
    op: 'attention_forward', layer, outs: [out], ins: [...inputs, offsets], absorbs: inputs, scratch,
    run: (kernels, at, s) => {
      const [q, k, v] = parts.map((value, i) => at(value) + skips[i])
      kernels['attention_forward'](at(out), q, k, v, at(offsets), count, H, D, ld, C, scale, flag, s)
    },
  })
  graph.onBackward([out], () => {
    const dout = graph.gradient(out)!
    const grads = inputs.map(value => graph.value(value.shape, false))
    const dparts = parts.map((_, i) => grads[inputs.length === 1 ? 0 : i])
    graph.node({
      op: 'attention_backward', layer, outs: grads, ins: [dout, ...inputs, offsets], scratch,
      run: (kernels, at, s) => {
        const [q, k, v] = parts.map((value, i) => at(value) + skips[i])
        const [dq, dk, dv] = dparts.map((value, i) => at(value) + skips[i])
        kernels['attention_backward'](dq, dk, dv, at(dout), q, k, v, at(offsets), count, H, D, ld, C, scale, flag, s)
      },
    })
    inputs.forEach((value, i) => graph.shareGradient([value], grads[i], layer))
  })
  return out
}
