// slow
/**
 * A second implementation of docs/numerics.md and its pages, in another language (test/spec/rust, no package but the
 * compiler), computes the vectors and the golden values again, bit for bit.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { golden } from '../../src/selftest/golden.gen.ts'
import { expectedHash } from '../../src/selftest/self-test.ts'
import { skipAloud } from '../support/python.ts'

const GOLDEN = 'test/spec/vectors.json'
const PAGES = ['numerics', 'numerics/operations', 'numerics/training', 'numerics/streams', 'numerics/federation'].map(page => `docs/${page}.md`)
/** The first rustc that has all that the program calls. */
const LEAST = 77

/** True where there is a compiler that is new enough. */
function hasRust(): boolean {
  const { status, stdout } = spawnSync('rustc', ['--version'], { encoding: 'utf8' })
  return status === 0 && Number(/^rustc 1\.(\d+)\./.exec(stdout)?.[1] ?? 0) >= LEAST
}

test('an implementation in Rust, written from the pages alone, computes every vector, training, contribution and release again, and the self-test', () => {
  if (!hasRust()) return skipAloud(`the specification in Rust: no rustc 1.${LEAST} or later on the path`)
  const folder = mkdtempSync(join(tmpdir(), 'sotto-rust-')), program = join(folder, 'numerics')
  const run = (...files: string[]) => spawnSync(program, files, { encoding: 'utf8' })
  try {
    const compiled = spawnSync('rustc', ['--edition', '2021', '-o', program, 'test/spec/rust/main.rs'], { encoding: 'utf8' })
    assert.is(compiled.status, 0, compiled.stderr)
    const { stdout } = run(GOLDEN, ...PAGES), [, equal, different] = /^(\d+) equal, (\d+) different$/m.exec(stdout) ?? []
    assert.is(different, '0', stdout)
    assert.ok(Number(equal) >= 590, `${equal} outputs compared`)
    const lines = run('--self-test').stdout.trimEnd().split('\n').map(line => [line.slice(65), line.slice(0, 64)])
    assert.equal(lines.pop(), ['quick', expectedHash('quick')])
    assert.is(lines.length, 28)
    for (const [name, hash] of lines) assert.is(hash, golden.parts[name], name)
    // and it tells where a bit differs: in a vector, in the hash of a training
    const page = join(folder, 'page.md'), file = join(folder, 'golden.json'), text = readFileSync(GOLDEN, 'utf8')
    writeFileSync(page, readFileSync(PAGES[0], 'utf8').replace('y=0x3f800000', 'y=0x3f800001'))
    assert.match(run(page).stdout, /^exp x=.*: y\n {2}expected 0x3f800001.*\n {2}got {6}0x3f800000[^]* 1 different$/m)
    const changed = { training: { ...JSON.parse(text)['DistilBERT, LoRA, f32'], tensors: { 'head.bias': '0'.repeat(64) } } }
    writeFileSync(file, JSON.stringify(changed))
    const found = run(file)
    assert.is(found.status, 1)
    assert.match(found.stdout, /^training, head\.bias\n[^]*^15 equal, 1 different$/m)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
