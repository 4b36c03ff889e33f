/** The operations of the specification, computed by Sotto: from the values of a vector to what it gives. */
import { Graph } from '../../src/graph/graph.ts'
import type { Value as Node } from '../../src/graph/value.ts'
import { node } from '../../src/runtime/node.ts'
import { activation } from '../../src/ops/activation.ts'
import type { Activation } from '../../src/ops/activation.ts'
import { attention } from '../../src/ops/attention.ts'
import { crossEntropy } from '../../src/ops/cross-entropy.ts'
import { dropout } from '../../src/ops/elementwise.ts'
import { embedding } from '../../src/ops/embedding.ts'
import { addLayerNorm, layerNorm } from '../../src/ops/layer-norm.ts'
import { Pass } from '../../src/ops/pass.ts'
import type { Dropout } from '../../src/ops/pass.ts'
import { l2Normalize, pool } from '../../src/ops/pool.ts'
import { denseTable } from '../../src/ops/table.ts'
import { packedWeight } from '../../src/ops/weight.ts'
import type { WeightFormat } from '../../src/ops/weight.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import type { Engine } from '../../src/wasm/engine.ts'
import type { Value, Values } from './format.ts'

/** Computes vectors on one build of the module. */
export type Operations = Readonly<Record<string, (given: Values) => Values>>

const f32 = (value: Value): Float32Array => {
  if (!(value instanceof Float32Array)) throw new TypeError(`vector expected f32 values, got ${value}`)
  return value
}
const ints = (value: Value): Int32Array => Int32Array.from(value as number[], x => x | 0)
const int = (value: Value): number => (value as number[])[0]
const text = (value: Value): string => (value as string[])[0]
const f64 = (value: Value): number => (value as Float64Array)[0]

/** The operations on a build. */
export async function operations(variant: 'simd' | 'scalar'): Promise<Operations> {
  const engine = await createEngine(node(), { variant }), { kernels: k, arena } = engine
  const put = (data: Float32Array | Int32Array | Uint16Array) => {
    const ptr = arena.reserve(data.byteLength)
    arena.u8(ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    return ptr
  }
  const read = (ptr: number, n: number) => arena.f32(ptr, n).slice()
  const place = (n: number) => put(new Float32Array(n).fill(12345))
  const tensor = (name: string, shape: readonly number[], values: Float32Array) => new Tensor(engine, name, shape).write(values)
  const scratch = () => arena.reserve(k['gemm_scratch']())

  const elementwise = (kernel: string) => ({ x }: Values) => {
    const values = f32(x), out = place(values.length)
    k[`${kernel}_forward`](out, put(values), values.length)
    return { y: read(out, values.length) }
  }
  /** Forward and, with `dy`, backward of an operation of the graph: x, y and the gradients of inputs and tensors. */
  const graphed = (
    inputs: readonly [Float32Array, readonly number[]][], tensors: readonly Tensor[], build: (pass: Pass, graph: Graph, x: Node[]) => Node,
    dy?: Float32Array, drop?: Dropout,
  ): { y: Float32Array, dx: Float32Array[], dtensors: Float32Array[] } => {
    const graph = new Graph(engine)
    const pass = new Pass({ graph, trained: new Map(tensors.map(each => [each, { from: 0, to: each.rows }])), ...(drop && { dropout: drop }) })
    const nodes = inputs.map(([values, shape]) => graph.fixed(put(values), shape, true))
    const y = graph.keep(build(pass, graph, nodes))
    if (dy) graph.backward(y, graph.input(dy, y.shape))
    const grads = dy ? nodes.map(each => graph.keep(graph.gradient(each)!)) : []
    const others = dy ? tensors.map(each => graph.keep(pass.gradient(each)!)) : []
    return graph.run(values => ({ y: values(y), dx: grads.map(values), dtensors: others.map(values) }))
  }
  const sequences = (graph: Graph, offsets: Int32Array) => ({
    offsets: graph.input(offsets), count: offsets.length - 1,
    longest: offsets.slice(1).reduce((most, offset, s) => Math.max(most, offset - offsets[s]), 0),
  })

  const activate = (kind: Activation) => ({
    forward: ({ x }: Values) => ({ y: graphed([[f32(x), [f32(x).length]]], [], (pass, _, [node]) => activation(pass, kind, kind, node)).y }),
    back: ({ x, dy }: Values) => ({
      dx: graphed([[f32(x), [f32(x).length]]], [], (pass, _, [node]) => activation(pass, kind, kind, node), f32(dy)).dx[0],
    }),
  })
  const weightOf = ({ format = ['int8'], N, K, w }: Values) => packedWeight(engine, text(format) as WeightFormat, int(N), int(K), f32(w))
  const linear = (given: Values) => {
    const weight = weightOf(given), M = int(given.M), y = place(M * int(given.N))
    weight.forward(k, y, put(f32(given.x)), given.bias ? put(f32(given.bias)) : 0, M, arena.reserve(weight.scratch))
    return { y: read(y, M * int(given.N)) }
  }
  const linearBack = (given: Values) => {
    const weight = weightOf(given), M = int(given.M), n = M * int(given.K), dx = given.start ? put(f32(given.start)) : place(n)
    weight.backwardInput(k, dx, put(f32(given.dy)), M, given.start !== undefined, arena.reserve(weight.scratch))
    return { dx: read(dx, n) }
  }
  const norm = ({ M, C, eps, x, weight, bias, residual, dy }: Values) => {
    const columns = int(C), shape = [int(M), columns]
    const w = tensor('weight', [columns], f32(weight)), b = tensor('bias', [columns], bias ? f32(bias) : new Float32Array(columns))
    const settings = { name: 'norm', weight: w, bias: b, eps: f32(eps)[0] }
    const inputs: [Float32Array, number[]][] = [[f32(x), shape], ...(residual ? [[f32(residual), shape]] as [Float32Array, number[]][] : [])]
    return graphed(inputs, [w, b], (pass, _, [first, second]) => second ? addLayerNorm(pass, first, second, settings) : layerNorm(pass, first, settings),
      dy && f32(dy))
  }
  const attend = ({ H, D, causal, offsets, scale, q, k: key, v, dout }: Values) => {
    const shape = [f32(q).length / (int(H) * int(D)), int(H) * int(D)]
    return graphed([[f32(q), shape], [f32(key), shape], [f32(v), shape]], [], (pass, graph, [a, b, c]) =>
      attention(pass, 'attention', a, b, c, sequences(graph, ints(offsets)), { heads: int(H), causal: int(causal) === 1, scale: f32(scale)[0] }),
    dout && f32(dout))
  }
  const pooled = (kind: 'mean' | 'cls') => ({ C, offsets, x, dy }: Values) => {
    const rows = ints(offsets).at(-1)!, values = x ? f32(x) : new Float32Array(rows * int(C))
    return graphed([[values, [rows, int(C)]]], [], (pass, graph, [node]) => pool(pass, 'pool', kind, node, sequences(graph, ints(offsets))), dy && f32(dy))
  }
  const normalized = ({ M, C, eps, x, dy }: Values) =>
    graphed([[f32(x), [int(M), int(C)]]], [], (pass, _, [node]) => l2Normalize(pass, 'l2', node, f32(eps)[0]), dy && f32(dy))
  const entropy = ({ M, V, logits, targets, weight }: Values) => {
    const graph = new Graph(engine), pass = new Pass({ graph }), x = graph.fixed(put(f32(logits)), [int(M), int(V)], weight !== undefined)
    const { losses, probabilities } = crossEntropy(pass, 'loss', x, graph.input(ints(targets)), weight ? f32(weight)[0] : 1)
    graph.keep(losses)
    graph.keep(probabilities)
    const d = weight && graph.keep(graph.gradient(x)!)
    return graph.run(values => ({ losses: values(losses), probabilities: values(probabilities), dlogits: d ? values(d) : new Float32Array(0) }))
  }
  const gelu = activate('gelu'), geluTanh = activate('gelu_tanh'), relu = activate('relu'), silu = activate('silu')

  return {
    exp: elementwise('exp'), log: elementwise('log'), phi: elementwise('phi'), tanh: elementwise('tanh'),
    f16: ({ x }) => ({ h: narrow(engine, 'f32_to_f16', f32(x)) }),
    bf16: ({ x }) => ({ h: narrow(engine, 'f32_to_bf16', f32(x)) }),
    f16_to_f32: ({ h }) => ({ x: wide(engine, 'f16_to_f32', h) }),
    bf16_to_f32: ({ h }) => ({ x: wide(engine, 'bf16_to_f32', h) }),
    matmul({ m, n, k: inner, alpha, start, a, b }) {
      const c = put(f32(start))
      k['matmul'](c, int(n), put(f32(a)), int(inner), 1, put(f32(b)), int(n), 1, int(m), int(n), int(inner), f32(alpha)[0], 1, 0, scratch())
      return { c: read(c, int(m) * int(n)) }
    },
    linear, linear_back: linearBack,
    int8_linear: linear, int8_linear_back: linearBack,
    int8_quantize({ N, K, w }) {
      const q = arena.reserve(int(N) * int(K)), scale = place(int(N))
      k['int8_quantize'](q, scale, put(f32(w)), int(N), int(K))
      return { q: [...new Int8Array(arena.memory.buffer, q, int(N) * int(K))], scale: read(scale, int(N)) }
    },
    column_sums({ M, C, x }) {
      const out = place(int(C))
      k['column_sums'](out, put(f32(x)), int(M), int(C), 0)
      return { y: read(out, int(C)) }
    },
    embedding({ M, C, ids, table, start }) {
      const out = put(f32(start))
      k['embedding_add_forward'](out, put(ints(ids)), put(f32(table)), int(M), int(C))
      return { y: read(out, int(M) * int(C)) }
    },
    embedding_back({ C, V, ids, dy }) {
      const table = tensor('table', [int(V), int(C)], new Float32Array(int(V) * int(C)))
      return { dtable: graphed([], [table], (pass, graph) =>
        embedding(pass, 'table', [{ ids: graph.input(ints(ids)), table: denseTable(table) }]), f32(dy)).dtensors[0] }
    },
    layer_norm: given => ({ y: norm(given).y }),
    layer_norm_back(given) {
      const { dx: [dx], dtensors: [dweight, dbias] } = norm(given)
      return { dx, dweight, dbias }
    },
    attention: given => ({ out: attend(given).y }),
    attention_back(given) {
      const [dq, dk, dv] = attend(given).dx
      return { dq, dk, dv }
    },
    gelu_erf: gelu.forward, gelu_erf_back: gelu.back, gelu_tanh: geluTanh.forward, gelu_tanh_back: geluTanh.back,
    relu: relu.forward, relu_back: relu.back, silu: silu.forward, silu_back: silu.back,
    tanh_back({ y, dy }) {
      const n = f32(y).length, dx = place(n)
      k['tanh_backward'](dx, put(f32(dy)), put(f32(y)), n)
      return { dx: read(dx, n) }
    },
    philox({ counter, key }) {
      const out = place(16), [c0, c1, c2, c3] = ints(counter), [key0, key1] = ints(key)
      k['philox_block'](out, c0, c1, c2, c3, key0, key1)
      const words = new Uint32Array(read(out, 16).buffer)
      return { words: [0, 4, 8, 12].map(at => words[at]) }
    },
    dropout({ M, C, rate, key, stream, first, x }) {
      const [key0, key1] = ints(key)
      return {
        y: graphed([[f32(x), [int(M), int(C)]]], [], (pass, _, [node]) => {
          for (let s = 0; s < int(stream); s++) pass.nextStream()
          return dropout(pass, 'dropout', node)
        }, undefined, { rate: f64(rate), key: [key0, key1], first: int(first) }).y,
      }
    },
    mean_pool: given => ({ y: pooled('mean')(given).y }), mean_pool_back: given => ({ dx: pooled('mean')(given).dx[0] }),
    cls_pool: given => ({ y: pooled('cls')(given).y }), cls_pool_back: given => ({ dx: pooled('cls')(given).dx[0] }),
    l2_normalize: given => ({ y: normalized(given).y }), l2_normalize_back: given => ({ dx: normalized(given).dx[0] }),
    cross_entropy(given) {
      const { losses, probabilities } = entropy(given)
      return { losses, probabilities }
    },
    cross_entropy_back: given => ({ dlogits: entropy(given).dlogits }),
    sum_squares: ({ x }) => ({ sum: Float64Array.of(k['sum_squares'](put(f32(x)), f32(x).length)) }),
    sgd({ lr, momentum, decay, p, v, g }) {
      const n = f32(p).length, param = put(f32(p)), velocity = put(f32(v))
      k['sgd_step'](param, velocity, put(f32(g)), n, f64(lr), f64(momentum), f64(decay))
      return { p: read(param, n), v: read(velocity, n) }
    },
    adamw({ lr, beta1, beta2, eps, decay, t, p, m, v, g }) {
      const n = f32(p).length, param = put(f32(p)), first = put(f32(m)), second = put(f32(v))
      const rest = [beta1, beta2].map(beta => 1 - power(f64(beta), int(t)))
      k['adamw_step'](param, first, second, put(f32(g)), n, f64(lr), f64(beta1), f64(beta2), f64(eps), f64(decay), rest[0], rest[1])
      return { p: read(param, n), m: read(first, n), v: read(second, n) }
    },
  }
}

function narrow({ kernels, arena }: Engine, kernel: string, x: Float32Array): number[] {
  return arena.frame(x.length * 6 + 64, ptr => {
    const out = ptr + x.length * 4
    arena.f32(ptr, x.length).set(x)
    kernels[kernel](out, ptr, x.length)
    return [...new Uint16Array(arena.memory.buffer, out, x.length)]
  })
}

function wide({ kernels, arena }: Engine, kernel: string, words: Value): Float32Array {
  const n = words.length
  return arena.frame(n * 6 + 64, ptr => {
    const out = ptr + Math.ceil(n / 2) * 4
    new Uint16Array(arena.memory.buffer, ptr, n).set(words as number[])
    kernels[kernel](out, ptr, n)
    return arena.f32(out, n).slice()
  })
}

/** As src/optim/optimizer.ts, whose steps a test of whole trainings checks. */
function power(x: number, n: number): number {
  let result = 1
  for (let base = x; n > 0; n = Math.floor(n / 2), base *= base) if (n % 2 === 1) result *= base
  return result
}
