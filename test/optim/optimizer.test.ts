import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { adamw, sgd } from '../../src/optim/optimizer.ts'
import type { Optimizer } from '../../src/optim/optimizer.ts'
import { makeSlice } from '../../src/peft/slice.ts'
import { node } from '../../src/runtime/node.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { createEngine } from '../../src/wasm/engine.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { rng } from '../support/rng.ts'

const engine = await createEngine(node())
const ROWS = 6, COLUMNS = 5
const makers: Record<string, () => Optimizer> = {
  'sgd with momentum and decay': () => sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.05 }),
  'plain sgd': () => sgd({ learningRate: 0.1 }),
  adamw: () => adamw({ learningRate: 0.01, weightDecay: 0.1 }),
}

/** A tensor of seeded values and a way to step rows of it with seeded gradients. */
function setUp(optimizer: Optimizer) {
  const tensor = new Tensor(engine, 'p', [ROWS, COLUMNS]).write(rng(1).f32(ROWS * COLUMNS)), parameters = new Map([['p', tensor]])
  const gradient = new Tensor(engine, 'g', [ROWS, COLUMNS])
  return {
    tensor,
    step(from: number, to: number, seed: number) {
      gradient.write(rng(seed).f32(ROWS * COLUMNS))
      const slice = makeSlice([{ tensor: 'p', from, to, columns: COLUMNS }])
      optimizer.prepare(parameters, slice)
      // a part's gradient holds its own rows alone
      optimizer.step(parameters, slice.parts[0], gradient.ptr + from * COLUMNS * 4)
    },
  }
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: outside the slice not one bit moves, over 60 seeded slices`, () => {
    const { tensor, step } = setUp(make()), random = rng(2)
    for (let i = 0; i < 60; i++) {
      const from = random.int(0, ROWS - 1), to = random.int(from + 1, ROWS), before = tensor.read()
      step(from, to, i)
      const after = tensor.read()
      sameBits(after.subarray(0, from * COLUMNS), before.subarray(0, from * COLUMNS), 'rows before')
      sameBits(after.subarray(to * COLUMNS), before.subarray(to * COLUMNS), 'rows after')
      for (let j = from * COLUMNS; j < to * COLUMNS; j++) assert.is.not(after[j], before[j], 'rows of the slice move')
    }
  })

  test(`${name}: a row's momentum, decay and count know only the steps that it was part of: the bits of stepping it alone`, () => {
    const mixed = setUp(make()), random = rng(3)
    const history: [number, number, number][] = Array.from({ length: 40 }, (_, i) => {
      const from = random.int(0, ROWS - 1)
      return [from, random.int(from + 1, ROWS), 100 + i]
    })
    for (const entry of history) mixed.step(...entry)
    for (let row = 0; row < ROWS; row++) {
      const alone = setUp(make())
      for (const [from, to, seed] of history) if (from <= row && row < to) alone.step(row, row + 1, seed)
      sameBits(alone.tensor.read(row, row + 1), mixed.tensor.read(row, row + 1), `row ${row}`)
    }
  })

  test(`${name}: reset forgets all state: the bits of a fresh optimiser, and no new memory`, () => {
    const optimizer = make(), used = setUp(optimizer)
    for (let i = 0; i < 5; i++) used.step(0, ROWS, i)
    optimizer.reset()
    used.tensor.write(rng(1).f32(ROWS * COLUMNS))
    const top = engine.arena.top
    for (let i = 0; i < 3; i++) used.step(1, 4, 50 + i)
    assert.is(engine.arena.top, top, 'no new memory')
    const fresh = setUp(make())
    for (let i = 0; i < 3; i++) fresh.step(1, 4, 50 + i)
    sameBits(used.tensor.read(), fresh.tensor.read())
  })

  test(`${name}: a thousand optimisers one after another, each reset, need the memory of one; two at once have state of their own`, () => {
    const tensor = new Tensor(engine, 'p', [ROWS, COLUMNS]), gradient = new Tensor(engine, 'g', [ROWS, COLUMNS]).write(rng(9).f32(ROWS * COLUMNS))
    const parameters = new Map([['p', tensor]]), slice = makeSlice([{ tensor: 'p', from: 0, to: ROWS, columns: COLUMNS }])
    const run = (optimizer: Optimizer, steps: number) => {
      for (let i = 0; i < steps; i++) {
        optimizer.prepare(parameters, slice)
        optimizer.step(parameters, slice.parts[0], gradient.ptr)
      }
      return tensor.read()
    }
    const first = make(), start = rng(8).f32(ROWS * COLUMNS)
    tensor.write(start)
    const expected = run(first, 2)
    first.reset()
    const { top } = engine.arena
    for (let i = 0; i < 1000; i++) {
      const optimizer = make()
      tensor.write(start)
      sameBits(run(optimizer, 2), expected, `optimiser ${i}`)
      optimizer.reset()
    }
    assert.is(engine.arena.top, top)
    const [one, two] = [make(), make()]
    tensor.write(start)
    const once = run(one, 1)
    tensor.write(start)
    sameBits(run(two, 1), once, 'the second starts from nothing')
    tensor.write(once)
    sameBits(run(one, 1), expected, 'the first goes on')
  })
}

test('ten steps equal PyTorch\'s formulas in doubles within 8 roundings a step', () => {
  for (const kind of ['sgd', 'adamw'] as const) {
    const { tensor, step } = setUp(kind === 'sgd' ? makers['sgd with momentum and decay']() : makers.adamw())
    const p = Float64Array.from(tensor.read()), m = new Float64Array(p.length), v = new Float64Array(p.length)
    for (let t = 1; t <= 10; t++) {
      const g = rng(t).f32(p.length)
      step(0, ROWS, t)
      p.forEach((_, i) => {
        if (kind === 'sgd') {
          m[i] = 0.9 * m[i] + g[i] + 0.05 * p[i]
          p[i] -= 0.1 * m[i]
        } else {
          p[i] *= 1 - 0.01 * 0.1
          m[i] = 0.9 * m[i] + 0.1 * g[i]
          v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2
          p[i] -= 0.01 * (m[i] / (1 - 0.9 ** t)) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8)
        }
      })
      close(tensor.read(), p, 8 * t * EPS * 8, `${kind} ${t}`)
    }
  }
})

test('settings that would give NaN, or that nobody knows, are errors', () => {
  assert.throws(() => adamw({ learningRate: 1, beta2: 1 }), /"beta2" expected a finite number from 0 to 0\.99999/)
  assert.throws(() => adamw({ learningRate: 1, beta1: NaN }), /"beta1"/)
  assert.throws(() => adamw({ learningRate: 1, eps: 0 }), /"eps" expected a finite number >= /)
  assert.throws(() => sgd({ learningRate: -1 }), /"learningRate" expected a finite number >= 0, got -1/)
  assert.throws(() => sgd({ learningRate: 1, momentum: 1.1 }), /"momentum"/)
  assert.throws(() => sgd({ learningRate: 1, nesterov: true } as never), /got the unknown option "nesterov"/)
})

test.run()
