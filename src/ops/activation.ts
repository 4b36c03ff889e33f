/**
 * Activations, element by element (assembly/kernels/activations.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass } from './pass.ts'

/** `gelu` is the erf form, `gelu_tanh` the tanh form. */
export type Activation = 'gelu' | 'gelu_tanh' | 'relu' | 'silu' | 'tanh'

const KERNELS: Readonly<Record<Activation, string>> =
  { gelu: 'gelu_erf', gelu_tanh: 'gelu_tanh', relu: 'relu', silu: 'silu', tanh: 'tanh' }

/** x to f(x), same shape. */
export function activation(pass: Pass, layer: string, kind: Activation, x: Value): Value {
  const { graph } = pass
  const kernel = KERNELS[kind]
  const y = graph.value(x.shape, x.trains)
  const n = x.length
  if (kind === 'gelu' && x.trains) {
    // value and slope share their exponential: the slope is kept in place of x
    const slope = graph.value(x.shape, false)
    graph.node({
      op: 'gelu_erf_slope', layer, outs: [y, slope], ins: [x],
      run: (k, at) => { k['gelu_erf_slope'](at(y), at(slope), at(x), n) },
    })
    graph.onBackward([y], () => {
      const dy = graph.gradient(y)!
      graph.addGradientBySum(x, layer, dx => graph.node({
        op: 'multiply', layer, outs: [dx], ins: [dy, slope],
        run: (k, at) => { k['multiply'](at(dx), at(dy), at(slope), n) },
      }))
    })
    return y
  }
  // a maximum or a saturation
  const swallows = kind === 'relu' || kind === 'tanh'
  graph.node({
    op: `${kernel}_forward`, layer, outs: [y], ins: [x], ...(swallows && { absorbs: [x] }),
    run: (k, at) => { k[`${kernel}_forward`](at(y), at(x), n) },
  })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    // tanh goes back from its output, the others from their input
    const saved = kind === 'tanh' ? y : x
    graph.addGradientBySum(x, layer, dx => graph.node({
      op: `${kernel}_backward`, layer, outs: [dx], ins: [dy, saved], ...(swallows && { absorbs: [dy] }),
      run: (k, at) => { k[`${kernel}_backward`](at(dx), at(dy), at(saved), n) },
    }))
  })
  return y
}
