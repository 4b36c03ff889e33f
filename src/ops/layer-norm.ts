/**
 * Layer normalisation, alone or of a sum x + residual (assembly/kernels/layer-norm.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Pass } from './pass.ts'

/** Weight and bias [C] of a layer norm. */
export interface Norm {
  readonly name: string
  readonly weight: Tensor
  readonly bias: Tensor
  readonly eps: number
}

/** x [M, C] to [M, C]. */
export function layerNorm(pass: Pass, x: Value, norm: Norm): Value {
  return normalize(pass, x, undefined, norm)
}

/** LN(x + residual), x and residual [M, C]. */
export function addLayerNorm(pass: Pass, x: Value, residual: Value, norm: Norm): Value {
  return normalize(pass, x, residual, norm)
}

function normalize(pass: Pass, x: Value, residual: Value | undefined, norm: Norm): Value {
  const { graph } = pass
  const [M, C] = x.shape
  const { name: layer, eps } = norm
  if (norm.weight.length !== C || norm.bias.length !== C || (residual && residual.length !== x.length)) {
    throw new RangeError(`"${layer}" expected inputs of width ${norm.weight.length}, got ` +
      `[${x.shape}]${residual ? ` and [${residual.shape}]` : ''}`)
  }
  const w = pass.parameter(norm.weight), b = pass.parameter(norm.bias)
  const trains = x.trains || !!residual?.trains || w.trains || b.trains
  const y = graph.value([M, C], trains)
  const mean = graph.value([M], false), rstd = graph.value([M], false)
  const sum = residual ? graph.value([M, C], false) : x
  if (residual) {
    graph.node({
      op: 'add_layer_norm_forward', layer, outs: [y, sum, mean, rstd], ins: [x, residual, w, b],
      run: (k, at) => {
        k['add_layer_norm_forward'](at(y), at(sum), at(mean), at(rstd), at(x), at(residual), at(w), at(b), M, C, eps)
      },
    })
  } else {
    graph.node({
      op: 'layer_norm_forward', layer, outs: [y, mean, rstd], ins: [x, w, b],
      run: (k, at) => { k['layer_norm_forward'](at(y), at(mean), at(rstd), at(x), at(w), at(b), M, C, eps) },
    })
  }
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    if (w.trains || b.trains) {
      // one kernel gives both: what nobody asked for goes to an array that nobody reads
      const into = (value: Value, emit: (d: Value, accumulate: boolean) => void) =>
        value.trains ? graph.addGradient(value, emit) : emit(graph.value([C], false), false)
      into(w, (dw, addToW) => into(b, (db, addToB) => graph.node({
        op: 'layer_norm_backward_params', layer, outs: [dw, db], ins: [dy, sum, mean, rstd],
        run: (k, at) => {
          if (!addToW) k['zero'](at(dw), C)
          if (!addToB) k['zero'](at(db), C)
          k['layer_norm_backward_params'](at(dw), at(db), at(dy), at(sum), at(mean), at(rstd), M, C)
        },
      })))
    }
    if (!x.trains && !residual?.trains) return
    const dx = graph.value([M, C], false)
    graph.node({
      op: 'layer_norm_backward', layer, outs: [dx], ins: [dy, sum, mean, rstd, w],
      run: (k, at) => { k['layer_norm_backward'](at(dx), at(dy), at(sum), at(mean), at(rstd), at(w), M, C) },
    })
    graph.shareGradient(residual ? [x, residual] : [x], dx, layer)
  })
  return y
}
