import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumericError } from '../../src/errors.ts'
import { Graph } from '../../src/graph/graph.ts'
import type { Value } from '../../src/graph/value.ts'
import { activation } from '../../src/ops/activation.ts'
import { attention } from '../../src/ops/attention.ts'
import { add, scale } from '../../src/ops/elementwise.ts'
import { addLayerNorm } from '../../src/ops/layer-norm.ts'
import { Pass } from '../../src/ops/pass.ts'
import { node } from '../../src/runtime/node.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import type { Team } from '../../src/wasm/team.ts'
import { attentionBackward } from '../reference/attention.ts'
import { layerNormBackward, layerNormForward } from '../reference/layer-norm.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const engine = await createEngine(node())
const { arena } = engine
const N = 6

/** Gradients of sum(seed * f(leaves)) with respect to each leaf, from the graph. */
function gradients(leaves: readonly Float32Array[], f: (pass: Pass, leaves: Value[]) => Value, shape = [leaves[0].length], seed?: Float32Array) {
  const tensors = leaves.map((values, i) => new Tensor(engine, `leaf ${i}`, shape).write(values))
  const graph = new Graph(engine)
  const pass = new Pass({ graph, trained: new Map(tensors.map(tensor => [tensor, { from: 0, to: tensor.rows }])) })
  const out = graph.keep(f(pass, tensors.map(tensor => pass.parameter(tensor))))
  graph.backward(out, graph.input(seed ?? new Float32Array(out.length).fill(1), out.shape))
  const wanted = tensors.map(tensor => pass.gradient(tensor)).map(value => value && graph.keep(value))
  return graph.run(read => ({ out: read(out), gradients: wanted.map(value => value && read(value)) }))
}

interface Step { readonly kind: 'add' | 'scale' | 'tanh' | 'relu', readonly a: number, readonly b: number, readonly s: number }

/** Random programs of sums, so that gradients are shared, passed on and added to in every order. */
function steps(seed: number, leaves: number): Step[] {
  const random = rng(seed)
  return Array.from({ length: random.int(2, 14) }, (_, i) => {
    const any = () => random.int(Math.max(0, leaves + i - 6), leaves + i - 1)
    const kind = random.uniform() < 0.65 ? 'add' : (['scale', 'tanh', 'relu'] as const)[random.int(0, 2)]
    return { kind, a: random.uniform() < 0.2 ? random.int(0, leaves + i - 1) : any(), b: any(), s: Math.fround(random.normal()) }
  })
}

/** The same in doubles, forward and back: plain lists of contributions, no sharing. */
function plain(leaves: readonly Float32Array[], program: readonly Step[]): { sizes: number, gradients: Float64Array[] } {
  const values: Float64Array[] = leaves.map(leaf => Float64Array.from(leaf))
  for (const { kind, a, b, s } of program) {
    values.push(values[a].map((x, i) => kind === 'add' ? x + values[b][i] : kind === 'scale' ? s * x : kind === 'tanh' ? Math.tanh(x) : Math.max(x, 0)))
  }
  const back = values.map(() => new Float64Array(N)), sizes = values.map(() => new Float64Array(N))
  back[back.length - 1].fill(1)
  sizes[back.length - 1].fill(1)
  for (let i = program.length - 1; i >= 0; i--) {
    const { kind, a, b, s } = program[i], at = leaves.length + i
    for (let j = 0; j < N; j++) {
      const slope = kind === 'add' ? 1 : kind === 'scale' ? s : kind === 'tanh' ? 1 - values[at][j] ** 2 : values[a][j] > 0 ? 1 : 0
      back[a][j] += slope * back[at][j]
      sizes[a][j] += Math.max(1, Math.abs(slope)) * sizes[at][j]
      if (kind !== 'add') continue
      back[b][j] += back[at][j]
      sizes[b][j] += sizes[at][j]
    }
  }
  return { sizes: Math.max(...sizes.map(each => Math.max(...each))), gradients: back.slice(0, leaves.length) }
}

test('1000 seeded programs of sums, scales and activations: gradients shared by many values equal those of plain loops in doubles', () => {
  let copies = 0
  for (let seed = 0; seed < 1000; seed++) {
    const random = rng(seed + 5000), leaves = [0, 1, 2].map(() => random.f32(N)), program = steps(seed, 3)
    const got = gradients(leaves, (pass, values) => {
      for (const { kind, a, b, s } of program) {
        values.push(kind === 'add' ? add(pass, 'add', values[a], values[b]) : kind === 'scale' ? scale(pass, 'scale', values[a], s)
          : activation(pass, kind, kind, values[a]))
      }
      return values[values.length - 1]
    })
    const expected = plain(leaves, program)
    // some twenty roundings on a path, each of at most the sum of the sizes of all paths; tanh' loses a few more
    got.gradients.forEach((values, i) => {
      if (values === undefined) return assert.ok(expected.gradients[i].every(x => x === 0), `seed ${seed}: leaf ${i} has a gradient`)
      close(values, expected.gradients[i], 64 * EPS * expected.sizes, `seed ${seed}, leaf ${i}`)
    })
    copies += got.gradients.filter(Boolean).length
  }
  assert.ok(copies > 1500, 'most leaves take part')
})

test('a gradient that three values share is not written while one of them still reads it', () => {
  // late, and both terms of y, have one gradient; x2 adds to it after x1 has gone back, and before late does
  const random = rng(1), leaves = [0, 1, 2].map(() => random.f32(N))
  const { gradients: [da, db, dc] } = gradients(leaves, (pass, [a, b, c]) => {
    const late = scale(pass, 'late', c, 3), x2 = scale(pass, 'x2', a, 1), again = scale(pass, 'again', x2, 5), x1 = scale(pass, 'x1', b, 1)
    return add(pass, 'z', add(pass, 'w', add(pass, 'y', x2, x1), late), again)
  })
  sameBits(da!, new Float32Array(N).fill(6), 'a')
  sameBits(db!, new Float32Array(N).fill(1), 'b')
  sameBits(dc!, new Float32Array(N).fill(3), 'c')
})

test('add(a, a) doubles value and gradient; a sum with itself as residual of a layer norm counts twice', () => {
  const x = rng(2).f32(2 * N)
  const doubled = gradients([x], (pass, [a]) => add(pass, 'twice', a, a))
  sameBits(doubled.out, x.map(v => 2 * v), 'value')
  sameBits(doubled.gradients[0]!, new Float32Array(2 * N).fill(2), 'gradient')
  const weight = new Tensor(engine, 'w', [N]).write(rng(3).f32(N)), bias = new Tensor(engine, 'b', [N]), seed = rng(4).f32(2 * N)
  const norm = { name: 'norm', weight, bias, eps: 1e-5 }
  const { gradients: [dx] } = gradients([x], (pass, [a]) => addLayerNorm(pass, a, a, norm), [2, N], seed)
  const sum = x.map(v => 2 * v), { mean, rstd } = layerNormForward(sum, weight.read(), bias.read(), 2, N, 1e-5)
  const expected = layerNormBackward(seed, sum, mean, rstd, weight.read(), 2, N).map(v => 2 * v)
  close(dx!, expected, 40 * EPS * Math.max(1, ...expected.map(Math.abs)), 'layer norm of x + x')
})

test('attention whose queries and keys are one value adds both gradients', () => {
  const T = 5, D = 4, random = rng(6), x = random.f32(T * D), v = random.f32(T * D), seed = random.f32(T * D)
  const { gradients: [dx, dv] } = gradients([x, v], (pass, [q, value]) => attention(pass, 'attention', q, q, value,
    { offsets: pass.graph.input(Int32Array.of(0, T)), count: 1, longest: T }, { heads: 1 }), [T, D], seed)
  const expected = attentionBackward(seed, x, x, v, { T, D, scale: 0.5, causal: false })
  close(dx!, expected.dq.map((g, i) => g + expected.dk[i]), 1e-5, 'dq + dk')
  close(dv!, expected.dv, 1e-5, 'dv')
})

test('nothing is differentiated that no parameter needs: without trained leaves no gradient exists', () => {
  const graph = new Graph(engine), pass = new Pass({ graph }), tensor = new Tensor(engine, 'frozen', [N])
  const out = add(pass, 'add', pass.parameter(tensor), scale(pass, 'scale', pass.parameter(tensor), 2))
  graph.backward(out, graph.input(new Float32Array(N)))
  assert.is(pass.gradient(tensor), undefined)
})

test('a value that is not finite stops the run with the operation and the layer, the memory of the step is given back, and the next step runs', () => {
  const tensor = new Tensor(engine, 'x', [N]).write([1, 2, NaN, 4, 5, 6])
  const top = arena.top
  for (const bad of [NaN, Infinity, -Infinity]) {
    tensor.write([1, 2, bad, 4, 5, 6])
    const graph = new Graph(engine), pass = new Pass({ graph })
    graph.keep(scale(pass, 'second', scale(pass, 'first', pass.parameter(tensor), 1), 1))
    try {
      graph.run(() => assert.unreachable('ran to its end'))
      assert.unreachable('expected an error')
    } catch (error) {
      assert.instance(error, NumericError)
      assert.is((error as NumericError).operation, 'scale')
      assert.is((error as NumericError).layer, 'first')
      assert.match((error as Error).message, new RegExp(`got ${bad} at element 2`))
    }
    assert.is(arena.top, top)
  }
  const graph = new Graph(engine), pass = new Pass({ graph }), input = graph.input(Float32Array.of(1, NaN))
  const out = graph.keep(scale(pass, 'of an input', input, 1))
  assert.throws(() => graph.run(() => out), (error: Error) => error instanceof NumericError && error.layer === 'of an input')
  tensor.write([1, 2, 3, 4, 5, 6])
  sameBits(gradients([tensor.read()], (p, [x]) => scale(p, 's', x, 2)).out, [2, 4, 6, 8, 10, 12])
})

test('a graph runs again, with other numbers: each time what a new one gives', () => {
  const graph = new Graph(engine), pass = new Pass({ graph }), first = Float32Array.of(1, 2, 3), second = Float32Array.of(-4, 0.5, 9)
  const y = graph.keep(scale(pass, 'twice', add(pass, 'sum', graph.input(first), graph.input(Float32Array.of(1, 1, 1))), 2))
  assert.equal(graph.run(read => [...read(y)]), [4, 6, 8])
  graph.replace(first, second)
  assert.equal(graph.run(read => [...read(y)]), [-6, 3, 20])
  graph.replace(second, first)
  assert.equal(graph.run(read => [...read(y)]), [4, 6, 8])
})

test('wrong shapes are errors that name what was expected', () => {
  const graph = new Graph(engine), pass = new Pass({ graph })
  assert.throws(() => graph.input(new Float32Array(5), [2, 3]), /"input" expected 6 numbers for the shape \[2, 3\], got 5/)
  assert.throws(() => add(pass, 'sum', graph.input(new Float32Array(3)), graph.input(new Float32Array(4))), /"sum" expected equal shapes/)
})

test('a graph that runs again on a team is written down once, and anew where its memory or the team is another', () => {
  const names = Object.keys(engine.kernels).filter(name => typeof engine.kernels[name] === 'function')
  const newTeam = (): Team => ({
    threads: 1, least: 1e9, kernel: new Map(names.map((name, i) => [name, i])), close() {},
    run(groups) {
      for (const { kernel, args } of [...groups].flat()) engine.kernels[names[kernel]](...args)
      return true
    },
  })
  let team = newTeam(), written = 0
  const graph = new Graph({ ...engine, get team() { return team } })
  let data: Float32Array = Float32Array.of(1, 2, 3)
  const x = graph.input(data), y = graph.keep(graph.value([3], false))
  graph.node({ op: 'scale', layer: '', outs: [y], ins: [x], run: (k, at) => {
    written++
    k['scale'](at(y), at(x), 2, 3)
  } })
  const twice = (next: Float32Array) => {
    graph.replace(data, next)
    data = next
    return [...graph.run(read => read(y))]
  }
  assert.equal([twice(Float32Array.of(1, 2, 3)), twice(Float32Array.of(4, 5, 6)), written], [[2, 4, 6], [8, 10, 12], 1])
  arena.frame(64, () => { assert.equal([twice(Float32Array.of(7, 8, 9)), written], [[14, 16, 18], 2]) })
  assert.equal([twice(Float32Array.of(-1, 0, 1)), written], [[-2, 0, 2], 3])
  team = newTeam()
  assert.equal([twice(Float32Array.of(3, 2, 1)), written], [[6, 4, 2], 4])
})

test.run()
