// slow
/**
 * The golden values of a numerics version (vectors.json): what Sotto computes has these bits, and an independent
 * implementation of docs/numerics.md (test/spec/python) computes them again.
 *
 * A new version: raise NUMERICS_VERSION, change the pages, run this test and pages.test.ts with SOTTO_UPDATE=1.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../src/canonical.ts'
import { NUMERICS_VERSION } from '../../src/numerics.ts'
import { python, runPython, skipAloud } from '../support/python.ts'
import { CASES } from './cases.ts'
import { parseVector, printValue } from './format.ts'
import { operations } from './operations.ts'
import { streams } from './streams.ts'
import { batchOf, contributions, JOBS, simulated, train } from './trainings.ts'

const FILE = 'test/spec/vectors.json', PAGES = ['numerics', 'numerics/operations', 'numerics/training', 'numerics/streams', 'numerics/federation']
const REMEDY = `differs from numerics version ${NUMERICS_VERSION}: undo the change, or raise NUMERICS_VERSION, say so in docs/numerics.md, and run test/spec with SOTTO_UPDATE=1`
const VARIANTS = ['simd', 'scalar'] as const
const update = process.env['SOTTO_UPDATE'] !== undefined
const golden: any = update ? { numerics: NUMERICS_VERSION } : JSON.parse(readFileSync(FILE, 'utf8'))

/** Compares with the golden value, or becomes it. */
function same(key: string, computed: unknown, title: string): void {
  const plain = JSON.parse(JSON.stringify(computed))
  if (update) golden[key] = plain
  else assert.equal(plain, golden[key], `${title} ${REMEDY}`)
}

const hashOf = (text: string) => hashBytes(new TextEncoder().encode(text))

test('the golden values are of this numerics version', () => {
  assert.is(golden.numerics, NUMERICS_VERSION, `${FILE} holds version ${golden.numerics}; run test/spec with SOTTO_UPDATE=1`)
})

test('operations on shapes with every remainder give the golden bits, in both builds', async () => {
  for (const variant of VARIANTS) {
    const table = { ...await operations(variant), ...await streams(variant) }
    const computed = Object.fromEntries(CASES.map(line => {
      const { op, given } = parseVector(line)
      return [line, Object.fromEntries(Object.entries(table[op](given)).map(([key, value]) => [key, hashOf(printValue(value))]))]
    }))
    if (!update) for (const line of CASES) assert.equal(computed[line], golden.operations[line], `${line.slice(0, 100)}, ${variant} build, ${REMEDY}`)
    same('operations', computed, `an operation, ${variant} build,`)
  }
})

for (const job of JOBS) {
  test(`five steps have the golden bits: ${job.name}`, async () => {
    for (const variant of VARIANTS) {
      const computed = { job, batches: [0, 1, 2, 3, 4].map(batchOf), ...await train(job, variant) }
      same(job.name, computed, `${job.name}, ${variant} build,`)
    }
  })
}

test('a plan\'s hash and two contributions have the golden bits', async () => {
  for (const variant of VARIANTS) same('contributions', { ...await contributions(variant), batches: [0, 7].map(client => batchOf(100 + client)) }, `a contribution, ${variant} build,`)
})

test('a simulated training has the golden hashes: plans, contributions, states', async () => {
  same('simulation', await simulated(), 'a simulated training')
})

test('an implementation written from the pages alone computes every vector, training, contribution and release again, bit for bit', () => {
  if (update) writeFileSync(FILE, `${JSON.stringify(golden, null, 1).replace(/\[\s*(-?\d+(?:,\s*-?\d+)*)\s*\]/g, (_, list: string) => `[${list.replace(/\s+/g, '')}]`)}\n`)
  const path = python('numpy')
  if (path === undefined) return skipAloud('the specification in Python: no Python with numpy (SOTTO_PYTHON)')
  const pages = PAGES.map(page => `docs/${page}.md`)
  const said = runPython(path, 'test/spec/python/check.py', FILE, ...pages)
  assert.match(said, /^\d+ vectors, \d+ operations, 10 trainings, 2 contributions, 3 rounds: equal$/m)
  // and it tells where a bit differs
  const folder = mkdtempSync(join(tmpdir(), 'sotto-spec-'))
  try {
    const page = join(folder, 'page.md'), text = readFileSync(pages[0], 'utf8')
    writeFileSync(page, text.replace('y=0x3f800000', 'y=0x3f800001'))
    assert.throws(() => runPython(path, 'test/spec/python/check.py', FILE, page), /exp: y\[0\] is \['3f800000'\], expected \['3f800001'\]/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
