// slow
/** A change of one unit in the last place of one constant of one kernel turns the matrix red, and the part is named. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** A script as it lies in the project: it finds other files beside itself. */
const script = (path: string) => import(pathToFileURL(resolve('scripts', path)).href)
const { readGolden } = await script('matrix/golden.mjs') as typeof import('../../scripts/matrix/golden.mjs')

const own = `node${process.versions.node.split('.')[0]}`

/** Runs the matrix's command on this Node, over builds in which the last bit of an f32 constant is another. */
function matrix(constant: number | undefined): { status: number | null, out: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-mutation-'))
  try {
    for (const variant of ['simd', 'shared', 'scalar']) {
      const bytes = readFileSync(`dist/wasm/sotto.${variant}.wasm`)
      if (constant !== undefined) {
        const pattern = Buffer.from(Float32Array.of(constant).buffer), at = bytes.indexOf(pattern)
        assert.ok(at > 0 && bytes.indexOf(pattern, at + 1) < 0, `${constant} stands once in ${variant}`)
        bytes[at] ^= 1
      }
      writeFileSync(join(folder, `sotto.${variant}.wasm`), bytes)
    }
    const { status, stdout, stderr } = spawnSync(process.execPath,
      ['scripts/matrix.mjs', '--only', `${own}, scalar`, '--only', `${own}, optimising`, '--wasm', folder], { encoding: 'utf8' })
    return { status, out: stdout + stderr }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('the module as it is: green', () => {
  const { status, out } = matrix(undefined)
  assert.match(out, /\n2 of 2 runtimes equal [0-9a-f]{64}\n$/)
  assert.is(status, 0)
})

test('exp, the third coefficient of its polynomial: red, named, and so is all that stands on it', () => {
  const { status, out } = matrix(0.49999997)
  assert.match(out, /scalar build .* DIFFERS: kernel\/exp_forward and \d+ more\n/)
  assert.match(out, /optimising compiler .* DIFFERS: kernel\/exp_forward and \d+ more\n/)
  assert.match(out, /\n0 of 2 runtimes equal nothing\n$/)
  assert.is(status, 1)
})

test('log, the first coefficient of its polynomial: red, and named', () => {
  const { status, out } = matrix(0.666666627)
  assert.match(out, /scalar build .* DIFFERS: kernel\/log_forward/)
  assert.match(out, /\n0 of 2 runtimes equal nothing\n$/)
  assert.is(status, 1)
})

test('the committed hashes are those of the whole programme', () => {
  assert.ok(Object.keys(readGolden().parts).some(name => name.startsWith('simulation/')))
})

test.run()
