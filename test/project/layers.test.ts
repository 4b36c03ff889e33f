/** The gate of the layers stops what it should: each rule with a planted import, and the table itself. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { assemblyProblems, importsOf, layerProblems, layers } from '../../scripts/check/layers.mjs'

const one = (path: string, text: string, dependencies?: string[]): string[] => layerProblems([{ path, text }], { dependencies })

test('a planted upward import fails, a downward one passes', () => {
  assert.equal(one('src/model/bert.ts', `import { linear } from '../ops/linear.ts'`), [])
  const [problem, ...others] = one('src/ops/linear.ts', `import { bert } from '../model/bert.ts'`)
  assert.match(problem, /src\/ops\/linear\.ts \(ops\) imports src\/model\/bert\.ts \(model\); imports go down only/)
  assert.is(others.length, 0)
})

test('every way to import upward fails: type-only, re-export, dynamic, for its effect, type query', () => {
  for (const text of [
    `import type { Encoder } from '../model/encoder.ts'`,
    `import { type Encoder } from '../model/encoder.ts'`,
    `export * from '../model/encoder.ts'`,
    `export { bert } from '../model/encoder.ts'`,
    `const later = () => import('../model/encoder.ts')`,
    `import '../model/encoder.ts'`,
    `let encoder: import('../model/encoder.ts').Encoder`,
    `import * as model from "../model/encoder.ts"`,
  ]) {
    assert.is(one('src/tensor/tensor.ts', text).length, 1, text)
  }
  assert.equal(importsOf(`// import '../model/encoder.ts'\nconst text = "import '../model/encoder.ts'"`), [])
})

test('a folder or file stands in one row only, under a name of its own', () => {
  const names = layers.map(({ name }) => name), paths = layers.flatMap((layer) => layer.paths)
  assert.is(new Set(names).size, names.length)
  assert.is(new Set(paths).size, paths.length)
  for (const layer of layers) for (const name of [...layer.only ?? [], ...layer.importedBy ?? []]) assert.ok(names.includes(name), name)
})

test('for every pair of layers: only the upper one may import the lower one', () => {
  const at = (path: string) => `src/${path.endsWith('/') ? `${path}file.ts` : path}`
  for (const [i, lower] of layers.entries()) {
    for (const upper of layers.slice(i + 1)) {
      if (lower.name === 'index' || upper.name === 'index') continue
      const up = '../'.repeat(at(lower.paths[0]).split('/').length - 2) || './'
      const problems = one(at(lower.paths[0]), `import { x } from '${up}${at(upper.paths[0]).slice(4)}'`)
      assert.is(problems.length, 1, `${lower.name} imports ${upper.name}: ${problems}`)
    }
  }
})

test('tokenizers, tensors and the wrappers of kernels import only the layers named for them', () => {
  assert.match(one('src/tokenizer/load.ts', `import '../privacy/accountant/rdp.ts'`)[0], /may import only ground, checkpoint/)
  assert.match(one('src/ops/linear.ts', `import '../checkpoint/dtype.ts'`)[0], /may import only/)
  assert.match(one('src/tensor/tensor.ts', `import '../tokenizer/load.ts'`)[0], /may import only/)
})

test('nothing imports index.ts; runtime and cli are leaves', () => {
  assert.match(one('src/cli/main.ts', `import { loadModel } from '../index.ts'`)[0], /may be imported by nothing/)
  assert.equal(one('src/cli/main.ts', `import { node } from '../runtime/node.ts'`), [])
  assert.is(one('src/train/step.ts', `import { node } from '../runtime/node.ts'`).length, 1)
  assert.is(one('src/simulation/simulate.ts', `import { node } from '../runtime/node.ts'`).length, 1)
  assert.is(one('src/runtime/node.ts', `import { main } from '../cli/main.ts'`).length, 1)
})

test('a runtime\'s modules, packages that users lack, and the loader outside its one file fail', () => {
  assert.is(one('src/train/step.ts', `import { readFileSync } from 'node:fs'`).length, 1)
  assert.equal(one('src/runtime/node.ts', `import { readFileSync } from 'node:fs'`), [])
  assert.match(one('src/data/rows.ts', `import x from 'esbuild'`, ['papaparse'])[0], /not among the dependencies/)
  assert.equal(one('src/data/rows.ts', `import x from 'papaparse'`, ['papaparse']), [])
  assert.match(one('src/wasm/engine.ts', `import { instantiate } from '@assemblyscript/loader'`)[0], /only src\/wasm\/instantiate\.ts may/)
  assert.equal(one('src/wasm/instantiate.ts', `import { instantiate } from '@assemblyscript/loader'`), [])
})

test('a file in no layer, an import out of src, and an index that does more than re-export fail', () => {
  assert.match(one('src/misc/helper.ts', '')[0], /in no layer/)
  assert.is(one('src/ops/linear.ts', `import '../../assembly/index.ts'`).length, 1)
  assert.match(one('src/index.ts', `export const version = 1`)[0], /may only re-export/)
  assert.equal(one('src/index.ts', `export { x } from './errors.ts'\nexport type { Y } from './host.ts'`), [])
})

test('the AssemblyScript imports nothing outside itself', () => {
  const assembly = (path: string, text: string): string[] => assemblyProblems([{ path, text }])
  assert.equal(assembly('assembly/kernels/pool.ts', `import { load4 } from '../lanes'`), [])
  assert.is(assembly('assembly/kernels/pool.ts', `import { x } from '../../src/errors'`).length, 1)
  assert.is(assembly('assembly/kernels/pool.ts', `import { x } from 'package'`).length, 1)
  assert.is(assembly('assembly/math/exp.ts', `import { x } from '../kernels/pool'`).length, 1)
  assert.is(assembly('assembly/index.ts', `const x = 1`).length, 1)
})

test.run()
