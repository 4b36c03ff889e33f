/**
 * The vectors of docs/numerics.md and its pages, computed by both builds of the module.
 *
 * SOTTO_UPDATE=1 writes what is missing or differs into the pages: for new vectors, and for a new numerics version.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NUMERICS_VERSION } from '../../src/numerics.ts'
import { parseVector, printVector, vectorsOf } from './format.ts'
import { operations } from './operations.ts'
import { streams } from './streams.ts'

export const PAGES = ['numerics', 'numerics/operations', 'numerics/training', 'numerics/streams', 'numerics/federation'].map(page => `docs/${page}.md`)

test('every vector on the pages of the specification is what Sotto computes, in the SIMD and the scalar build', async () => {
  let count = 0
  for (const variant of ['simd', 'scalar'] as const) {
    const table = { ...await operations(variant), ...await streams(variant) }, used = new Set<string>()
    for (const page of PAGES) {
      const lines = readFileSync(page, 'utf8').split('\n')
      for (const { line, text } of vectorsOf(lines.join('\n'))) {
        const { op, given } = parseVector(text)
        assert.ok(table[op], `${page}:${line + 1} expected an operation, got ${op}`)
        const computed = printVector({ op, given, gives: table[op](given) })
        if (process.env['SOTTO_UPDATE']) lines[line] = computed
        else if (computed !== text) {
          assert.is(computed, text, `${page}:${line + 1}, ${variant} build: a bit differs from numerics version ${NUMERICS_VERSION}; ` +
            'undo the change, or raise NUMERICS_VERSION and run this test with SOTTO_UPDATE=1')
        }
        used.add(op)
        count++
      }
      if (process.env['SOTTO_UPDATE']) writeFileSync(page, lines.join('\n'))
    }
    assert.equal(Object.keys(table).filter(op => !used.has(op) && !op.startsWith('cls_pool')), [], 'operations without a vector')
  }
  assert.ok(count > 100, `${count} vectors`)
})

test('the pages are of this version, and a vector that is wrong by one bit does not pass', async () => {
  assert.match(readFileSync(PAGES[0], 'utf8'), new RegExp(`^# Numerics, version ${NUMERICS_VERSION}$`, 'm'))
  const { op, given, gives } = parseVector('exp x=0x3f800000 -> y=0x402df855')
  const computed = (await operations('simd'))[op](given)
  assert.is(printVector({ op, given, gives: computed }), 'exp x=0x3f800000 -> y=0x402df854')
  assert.is.not(printVector({ op, given, gives: computed }), printVector({ op, given, gives }))
})

test.run()
