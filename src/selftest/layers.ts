/**
 * Operations that mix the elements of a row or the rows of a text, forward and backward, as models use them: widths that
 * leave every remainder, texts of different lengths.
 * @module
 */
import { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { attention, fusedAttention } from '../ops/attention.ts'
import type { Sequences } from '../ops/attention.ts'
import { crossEntropy } from '../ops/cross-entropy.ts'
import { dropout } from '../ops/elementwise.ts'
import { addLayerNorm, layerNorm } from '../ops/layer-norm.ts'
import { Pass } from '../ops/pass.ts'
import { l2Normalize, pool } from '../ops/pool.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { Section } from './section.ts'
import type { Sink } from './sink.ts'
import { integers, uniform } from './values.ts'

const LENGTHS = [1, 5, 2, 9, 17, 3]
const TOKENS = 37

/** The texts of a batch. */
function sequences(graph: Graph, lengths: readonly number[]): Sequences {
  const offsets = new Int32Array(lengths.length + 1)
  lengths.forEach((length, i) => { offsets[i + 1] = offsets[i] + length })
  return { offsets: graph.input(offsets), count: lengths.length, longest: Math.max(...lengths) }
}

/** Runs y = build(x ...) and the gradient of <dy, y>; all of it goes into the sink. */
function through(
  engine: Engine, sink: Sink, inputs: readonly Float32Array[], shape: readonly number[], build: (pass: Pass, values: Value[]) => Value,
): void {
  const graph = new Graph(engine)
  const size = inputs.reduce((sum, { length }) => sum + 64 + 4 * length, 0)
  engine.arena.frame(size, base => {
    let top = base
    const values = inputs.map(data => {
      engine.arena.f32(top, data.length).set(data)
      const value = graph.fixed(top, shape, true)
      top += Math.ceil(data.length / 16) * 64
      return value
    })
    const pass = new Pass({ graph, dropout: { rate: 0.3, key: [17, -5] } })
    const y = graph.keep(build(pass, values))
    const dy = graph.input(uniform(`dy ${y.length}`, y.length), y.shape)
    graph.backward(y, dy)
    const gradients = values.map(value => graph.gradient(value)).filter(value => value !== undefined).map(value => graph.keep(value))
    graph.run(read => {
      sink.f32(read(y))
      for (const gradient of gradients) sink.f32(read(gradient))
    })
  })
}

/** Over several widths: `make` gives the operation for a width. */
function rows(
  name: string, widths: readonly number[], count: number, make: (engine: Engine, C: number) => (pass: Pass, values: Value[]) => Value,
): Section {
  return { name: `layer/${name}`, level: 'full', run({ engine }, sink) {
    for (const C of widths) {
      const inputs = Array.from({ length: count }, (_, i) => uniform(`${name} ${C} ${i}`, TOKENS * C, 1 + 10 * i))
      through(engine, sink, inputs, [TOKENS, C], make(engine, C))
    }
  } }
}

const WIDTHS = [...Array.from({ length: 18 }, (_, i) => i + 1), 64, 100]

function norm(engine: Engine, C: number) {
  return {
    name: `norm ${C}`, eps: 1e-12,
    weight: new Tensor(engine, `weight ${C}`, [C]).write(uniform(`weight ${C}`, C, 2)),
    bias: new Tensor(engine, `bias ${C}`, [C]).write(uniform(`bias ${C}`, C)),
  }
}

function heads(name: string, causal: boolean, fused: boolean): Section {
  return { name: `layer/attention ${name}`, level: 'full', run({ engine }, sink) {
    for (const [H, D, lengths] of [[1, 1, [3, 1]], [2, 3, LENGTHS], [1, 4, LENGTHS], [3, 5, [7, 8]], [2, 8, LENGTHS], [4, 9, [33, 2]], [1, 32, [70, 5]], [2, 17, [16, 65]]] as const) {
      const C = H * D, M = lengths.reduce((sum, length) => sum + length, 0)
      const inputs = Array.from({ length: fused ? 1 : 3 }, (_, i) => uniform(`${name} ${C} ${i}`, M * C * (fused ? 3 : 1), 3))
      through(engine, sink, inputs, [M, fused ? 3 * C : C], (pass, [q, k, v]) => fused
        ? fusedAttention(pass, 'attention', q, sequences(pass.graph, lengths), { heads: H, causal })
        : attention(pass, 'attention', q, k, v, sequences(pass.graph, lengths), { heads: H, causal }))
    }
  } }
}

const entropy: Section = { name: 'layer/cross-entropy', level: 'full', run({ engine }, sink) {
  for (const V of [2, 3, 4, 5, 7, 8, 9, 16, 17, 130]) {
    const M = 6, graph = new Graph(engine)
    engine.arena.frame(4 * M * V, base => {
      // one row far from the rest, and one of equals
      const logits = uniform(`logits ${V}`, M * V, 8).fill(2, 0, V)
      logits[V] = 90
      engine.arena.f32(base, M * V).set(logits)
      const value = graph.fixed(base, [M, V], true)
      const { losses, probabilities } = crossEntropy(new Pass({ graph }), 'loss', value, graph.input(integers(`targets ${V}`, M, V)), 1 / M)
      const gradient = graph.gradient(value)!
      for (const each of [losses, probabilities, gradient]) graph.keep(each)
      graph.run(read => { sink.f32(read(losses)).f32(read(probabilities)).f32(read(gradient)) })
    })
  }
} }

export const layers: readonly Section[] = [
  rows('layer norm', WIDTHS, 1, (engine, C) => {
    const each = norm(engine, C)
    return (pass, [x]) => layerNorm(pass, x, each)
  }),
  rows('layer norm of a sum', WIDTHS, 2, (engine, C) => {
    const each = norm(engine, C)
    return (pass, [x, residual]) => addLayerNorm(pass, x, residual, each)
  }),
  rows('dropout', WIDTHS, 1, () => (pass, [x]) => dropout(pass, 'dropout', x)),
  rows('mean pool', WIDTHS, 1, () => (pass, [x]) => pool(pass, 'pool', 'mean', x, sequences(pass.graph, LENGTHS))),
  rows('first token', WIDTHS, 1, () => (pass, [x]) => pool(pass, 'pool', 'cls', x, sequences(pass.graph, LENGTHS))),
  rows('l2 normalize', WIDTHS, 1, () => (pass, [x]) => l2Normalize(pass, 'normalize', x, 1e-6)),
  entropy,
  heads('of three', false, false), heads('causal', true, false), heads('fused', false, true), heads('fused and causal', true, true),
]
