// slow
/** The whole programme reaches every kernel of the module. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { node } from '../../src/runtime/node.ts'
import { selfTest } from '../../src/selftest/self-test.ts'

test('every exported kernel is called by the whole programme', async () => {
  const { instantiate } = WebAssembly
  const exported = new Set<string>(), called = new Set<string>()
  const watched = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
    const { exports } = await instantiate(module, imports)
    // Node has modules of its own
    if (exports['arithmetic_probe'] === undefined) return { exports }
    return { exports: Object.fromEntries(Object.entries(exports).map(([name, kernel]) => {
      exported.add(name)
      return [name, (...args: number[]) => {
        called.add(name)
        return (kernel as (...args: number[]) => unknown)(...args)
      }]
    })) }
  }
  try {
    WebAssembly.instantiate = watched as never
    const { differing } = await selfTest(node(), { level: 'full' })
    assert.equal(differing, [])
  } finally {
    WebAssembly.instantiate = instantiate
  }
  assert.ok(exported.size > 50)
  assert.equal([...exported].filter(name => !called.has(name)), [])
})

test.run()
