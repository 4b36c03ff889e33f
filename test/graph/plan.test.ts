import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planMemory } from '../../src/graph/plan.ts'
import type { Node, Value } from '../../src/graph/value.ts'
import { rng } from '../support/rng.ts'

const value = (length: number, fixed?: number): Value => ({ shape: [length], length, fixed, trains: false })
const node = (outs: Value[], ins: Value[], scratch = 0): Node => ({ op: 'op', layer: 'layer', outs, ins, scratch, run: () => {} })

/** A random program: each node reads values written before it, writes one to three, some of them again. */
function program(seed: number): { nodes: Node[], pinned: Set<Value> } {
  const random = rng(seed), nodes: Node[] = [], written: Value[] = [], pinned = new Set<Value>()
  for (let i = random.int(0, 4); i > 0; i--) pinned.add(value(random.int(0, 300)))
  written.push(...pinned, value(7, 4096))
  for (let i = random.int(1, 60); i > 0; i--) {
    const ins = Array.from({ length: random.int(0, 3) }, () => written[random.int(0, written.length - 1)])
    const outs = Array.from({ length: random.int(1, 3) }, () => {
      const again = random.uniform() < 0.2 ? written[random.int(0, written.length - 1)] : undefined
      return again ?? value(random.int(0, 1000))
    })
    written.push(...outs.filter(out => !written.includes(out)))
    for (const out of outs) if (random.uniform() < 0.1) pinned.add(out)
    nodes.push(node(outs, ins, random.int(0, 3) === 0 ? random.int(1, 500) : 0))
  }
  return { nodes, pinned }
}

test('500 seeded programs: values alive at the same node share no byte, all lie inside the block before the scratch, 64-byte aligned', () => {
  let shared = 0, whole = 0
  for (let seed = 0; seed < 500; seed++) {
    const { nodes, pinned } = program(seed)
    const plan = planMemory(nodes, pinned)
    assert.is(plan.bytes - plan.scratch, plan.scratchBytes, 'scratch')
    assert.is(plan.scratchBytes, Math.ceil(Math.max(0, ...nodes.map(each => each.scratch)) / 64) * 64, 'scratch, so that one can follow another')
    // alive from the first write to the last use; those that are pinned, always
    const life = new Map<Value, [number, number]>()
    for (const each of pinned) life.set(each, [0, nodes.length])
    nodes.forEach(({ outs, ins }, i) => {
      for (const each of [...outs, ...ins]) if (!pinned.has(each)) life.set(each, [life.get(each)?.[0] ?? i, i])
    })
    const placed = [...life].filter(([each]) => each.fixed === undefined).map(([each, [from, to]]) => {
      const start = plan.offsets.get(each)!
      assert.ok(start % 64 === 0 && start + each.length * 4 <= plan.scratch, `seed ${seed}: inside`)
      whole += each.length * 4
      return { start, end: start + each.length * 4, from, to }
    })
    shared += plan.scratch
    for (const a of placed) {
      for (const b of placed) {
        if (a === b || a.to < b.from || b.to < a.from || a.end <= b.start || b.end <= a.start) continue
        assert.unreachable(`seed ${seed}: [${a.start}, ${a.end}) of ${a.from}..${a.to} overlaps [${b.start}, ${b.end}) of ${b.from}..${b.to}`)
      }
    }
    for (const each of plan.offsets.keys()) assert.is(each.fixed, undefined, 'no place for a weight')
  }
  assert.ok(shared < 0.7 * whole, `places are used again: ${shared} of ${whole} bytes`)
})

test('a chain of equal values needs two of them, however long it is', () => {
  const values = Array.from({ length: 100 }, () => value(1000))
  const plan = planMemory(values.map((each, i) => node([each], i === 0 ? [] : [values[i - 1]])), new Set())
  assert.is(plan.bytes, 2 * 4032)
})

test('a value that is read before anything writes it is an error that names the node', () => {
  assert.throws(() => planMemory([node([value(4)], [value(4)])], new Set()), /"op" of "layer" reads to be written before it/)
})

test.run()
