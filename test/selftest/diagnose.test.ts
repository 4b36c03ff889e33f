// slow
/** The doctor's findings on this runtime, and on hosts with something missing or wrong. */
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Host } from '../../src/host.ts'
import { generic } from '../../src/runtime/generic.ts'
import { node } from '../../src/runtime/node.ts'
import { diagnose } from '../../src/selftest/diagnose.ts'
import { report } from '../../src/cli/doctor.ts'

const built = (variant: string) => new Uint8Array(readFileSync(`dist/wasm/sotto.${variant}.wasm`))

/** The SIMD build with every f32x4.add a subtraction. */
function wrong(): WebAssembly.Module {
  const bytes = built('simd')
  for (let at = 0; at + 2 < bytes.length; at++) if (bytes[at] === 0xfd && bytes[at + 1] === 0xe4 && bytes[at + 2] === 1) bytes[at + 1] = 0xe5
  return new WebAssembly.Module(bytes)
}

test('Node is fit: all builds compute right, memory grows, random bytes are fresh, the self-test is as committed', async () => {
  const found = await diagnose(node())
  assert.is(found.fit, true)
  assert.is(found.runtime, 'node')
  assert.ok(found.simd && found.sharedMemory && found.randomness)
  assert.ok(found.memory >= 2 ** 30 && found.speed! > 0 && found.speed! < Infinity)
  assert.equal(found.builds.map(({ variant, missing, faults }) => [variant, missing, faults.length]), [['simd', undefined, 0], ['shared', undefined, 0], ['scalar', undefined, 0]])
  assert.equal(found.selfTest!.differing, [])
  const text = report(found)
  assert.match(text, /builds that compute right +simd, shared, scalar\n/)
  assert.match(text, /This runtime computes the same bits as all others\.$/)
})

test('the speed is that of products of 256 x 256 x 256, by the host\'s clock; there is none where the clock stands still', async () => {
  const at = (now: () => number) => diagnose({ ...node(), now })
  let clock = 0
  // each look at the clock is 8 ms after the one before it: 13 products are the first to take 100 ms
  assert.is((await at(() => clock += 8)).speed, 2 * 256 ** 3 / 8e6)
  assert.is((await at(() => 5)).speed, undefined)
})

test('a host with the scalar build alone is fit; without any build it is not, and says why', async () => {
  const scalar = await diagnose(generic({ wasm: { scalar: built('scalar') } }))
  assert.is(scalar.fit, true)
  assert.is(scalar.selfTest!.variant, 'scalar')
  assert.match(scalar.builds[0].missing!, /expected the build "simd", got none/)
  const none = await diagnose(generic({ wasm: {} }))
  assert.is(none.fit, false)
  assert.is(none.selfTest, undefined)
  assert.match(report(none), /builds that compute right +none\n[^]*cannot compute: no build is fit/)
})

test('where vectors are wrong the scalar build is taken, and the report names the fault', async () => {
  const host: Host = { ...node(), module: async variant => variant === 'simd' ? wrong() : node().module(variant) }
  const found = await diagnose(host)
  assert.is(found.selfTest!.variant, 'scalar')
  assert.is(found.fit, true)
  assert.match(report(found), /build simd +wrong: expected .*denormals/)
})

test('a fault that no question finds shows in the self-test, part by part', async () => {
  // a constant of exp, 0.49999997, one unit in the last place away
  const bytes = built('simd'), constant = new Uint8Array(Float32Array.of(0.49999997).buffer)
  const at = bytes.findIndex((_, i) => constant.every((byte, j) => bytes[i + j] === byte))
  bytes[at] ^= 1
  const module = new WebAssembly.Module(bytes)
  const found = await diagnose({ ...node(), module: async variant => variant === 'simd' ? module : node().module(variant) })
  assert.equal(found.builds[0].faults, [])
  assert.is(found.fit, false)
  assert.is(found.selfTest!.differing[0], 'kernel/exp_forward')
  assert.ok(!found.selfTest!.differing.some(name => /^javascript|chacha|matmul|log/.test(name)))
  assert.match(report(found), /equal to the committed hash +no, expected [0-9a-f]{64}\n[^]*kernel\/exp_forward +[0-9a-f]{16}\n[^]*computes other bits/)
})

test('without fresh random bytes it can compute, but nothing may be released', async () => {
  const broken: [string, Host['random']][] = [
    ['zeros', () => {}], ['the same', bytes => { bytes.fill(7) }], ['none', () => { throw new Error('no crypto') }],
  ]
  for (const [title, random] of broken) {
    const found = await diagnose({ ...node(), random })
    assert.equal([found.randomness, found.fit], [false, false], title)
    assert.match(report(found), /fresh random bytes +no\n[^]*nothing may be released with privacy/)
  }
})

test.run()
