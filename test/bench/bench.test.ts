// slow
/** The bench runs at tiny sizes, its checks of results can fail, and its verdicts and pages say what was measured. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { replaceSection, section, writeDocs } from '../../bench/lib/docs.mjs'
import { exponent, line } from '../../bench/lib/fit.mjs'
import { roofline } from '../../bench/lib/roofline.mjs'
import { goalOf, markdownTable, measured, textTable, verdict } from '../../bench/lib/rows.mjs'
import { interleaved, median } from '../../bench/lib/timing.mjs'

interface Row { what: string, value?: number, text?: string, failed?: string, goal?: { for?: boolean }, data?: { loss?: number, operations?: { name: string, ms: number }[] } }
interface Part { part: string, rows: Row[] }

function bench(...args: string[]): { status: number | null, output: string, parts: Part[] } {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-')), json = join(folder, 'out.json')
  try {
    const run = spawnSync(process.execPath, ['scripts/bench.mjs', '--quick', '--no-build', '--no-peers', '--json', json, ...args], { encoding: 'utf8' })
    const parts = run.status === 2 ? [] : (JSON.parse(readFileSync(json, 'utf8')) as { results: Part[] }).results
    return { status: run.status, output: run.stdout + run.stderr, parts }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('every part runs at tiny sizes; all its checks hold; no goal is judged; absent peers say how to get them', () => {
  const { status, output, parts } = bench()
  assert.is(status, 0, output)
  assert.equal(parts.map(({ part }) => part), ['limits', 'products', 'step', 'profile', 'threads', 'growth', 'simulation', 'logistic', 'runtimes', 'privacy'])
  const rows = parts.flatMap(part => part.rows)
  assert.equal(rows.filter(row => row.failed !== undefined), [])
  assert.ok(rows.every(row => row.goal === undefined || row.goal.for === false))
  const of = (name: string) => parts.find(({ part }) => part === name)!.rows
  assert.ok(of('limits').every(row => row.value! > 0.1))
  assert.ok(of('products').length >= 10)
  assert.ok(of('step').some(row => row.text === 'absent' && row.what.includes('PyTorch')))
  assert.match(output, /PyTorch +absent .*setup\.sh/)
  const loss = of('step').find(row => row.what === '4 x 16: Sotto f32, a step')!.data!.loss!
  assert.ok(Math.abs(loss - 0.663574) < 2e-5, `loss ${loss}`)
  // kernels that took long have a row each, the others one together: which they are, a busy machine may change
  const profile = of('profile').filter(({ what }) => what.startsWith('f32 base: '))
  const { operations } = profile[0].data!, smaller = profile.findIndex(({ what }) => /\d+ smaller kernels/.test(what))
  assert.ok(operations!.some(({ name, ms }) => name === 'linear_backward_input' && ms > 0))
  assert.is(smaller - 1 + parseInt(profile[smaller].what.slice('f32 base: '.length), 10), operations!.length)
  assert.match(output, /checks: 0 failed/)
})

test('a product or a step that is wrong fails its check, has no time, and the bench ends with 1', () => {
  const { status, output, parts } = bench('products', 'step', '--spoil')
  assert.is(status, 1)
  const products = parts[0].rows
  assert.ok(products.length > 0 && products.every(row => row.failed !== undefined && row.value === undefined))
  assert.match(products[0].failed!, /expected -?[\d.]+ at row 0, column 0, got/)
  const step = parts[1].rows.find(row => row.what.includes('Sotto f32, a step'))!
  assert.match(step.failed!, /expected loss 0\.664\d+, got 0\.6635/)
  assert.is(step.value, undefined)
  assert.match(output, /checks: [1-9]\d* failed/)
})

test('unknown parts and options, and documents from a partial run, end with 2 and say what is expected', () => {
  for (const args of [['speed'], ['--fast'], ['--write-docs']]) {
    const { status, output } = bench(...args)
    assert.is(status, 2)
    assert.match(output, /usage: npm run bench/)
  }
})

test('verdicts: on the goal is met, beyond it is missed; another engine is shown, not judged; a failed check is WRONG', () => {
  const row = (value: number, goal: { least?: number, most?: number, for?: boolean }) => ({ what: 'x', value, unit: 'x', goal })
  assert.is(verdict(row(2, { most: 2 })), 'yes')
  assert.is(verdict(row(2.001, { most: 2 })), 'no')
  assert.is(verdict(row(0.8, { least: 0.8 })), 'yes')
  assert.is(verdict(row(0.799, { least: 0.8 })), 'no')
  assert.is(verdict(row(0.1, { least: 0.8, for: false })), '')
  assert.is(verdict({ what: 'x', goal: { least: 1 }, failed: 'why' }), 'WRONG')
  assert.is(measured({ what: 'x', value: 3, failed: 'why' }), 'WRONG')
  assert.is(measured(row(1.234, {})), '1.23 x')
  assert.is(goalOf(row(1, { least: 0.8 })), '>= 0.80')
})

test('tables: text is in columns, Markdown leaves out empty columns and escapes bars', () => {
  const rows = [{ what: 'a|b', value: 12.34, unit: 'ms' }, { what: 'c', text: 'absent', note: 'how to get it' }]
  assert.match(textTable('T', rows), /^T\n\nwhat +measured/)
  assert.match(markdownTable('T', rows), /^### T\n\n\| what \| measured \| note \|\n\|---\|---\|---\|\n\| a\\\|b \| 12\.3 ms \|  \|/)
})

test('the section of the page is replaced between its markers alone, and lists the goals that are missed', () => {
  const record = {
    machine: { cpu: 'CPU', cores: 2, flags: ['avx2'], platform: 'linux x64', load: 0, load_after: 1 },
    versions: { node: ['24.0.0'], torch: [] }, seconds: 90,
    results: [{ title: 'T', rows: [{ what: 'good', value: 0.9, unit: 'share', goal: { least: 0.8 } }, { what: 'bad', value: 0.7, unit: 'share', goal: { least: 0.8 } }] }],
  }
  const text = section(record)
  assert.match(text, /Of 2 goals, 1 are met\. These are not:\n\n- bad: 0\.700 \(goal >= 0\.80\)/)
  const page = replaceSection('before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n', text)
  assert.ok(page.startsWith('before\n<!-- bench: begin -->\n') && page.endsWith('<!-- bench: end -->\nafter\n') && !page.includes('old'))
  assert.throws(() => replaceSection('no markers', text), /expected the markers/)
})

test('a run with a wrong result changes no page', () => {
  const before = readFileSync('docs/performance.md', 'utf8')
  assert.throws(() => writeDocs({ results: [{ rows: [{ what: 'x', failed: 'expected 1, got 2' }] }] }), /got x: expected 1, got 2; nothing was written/)
  assert.is(readFileSync('docs/performance.md', 'utf8'), before)
})

test('the page has the markers', () => {
  const page = readFileSync('docs/performance.md', 'utf8')
  assert.ok(replaceSection(page, 'new').includes('<!-- bench: begin -->\nnew\n<!-- bench: end -->'))
})

test('ratios are taken between neighbours: a machine that slows down does not show', () => {
  let speed = 1
  const slower = (ms: number) => () => ms * (speed *= 1.02)
  const { ratio } = interleaved(slower(1), slower(3), 21)
  assert.ok(Math.abs(ratio - 3) < 0.01, String(ratio))
  assert.is(median([3, 1, 2]), 2)
  assert.is(median([4, 1, 2, 3]), 2.5)
})

test('fits: a line is found and its worst point measured; an exponent is found', () => {
  const straight = line([[1, 3], [2, 5], [4, 9]])
  assert.ok(Math.abs(straight.fixed - 1) < 1e-9 && Math.abs(straight.slope - 2) < 1e-9 && straight.deviation < 1e-9)
  assert.ok(line([[1, 1], [2, 4], [4, 16]]).deviation > 0.1)
  assert.ok(Math.abs(exponent([[1, 2], [2, 8], [4, 32]]) - 2) < 1e-9)
})

test('the roofline shows each kernel that multiplies, once, with its rate', () => {
  const limit = { f32: 40, int: 80, copy: 50 }
  const operation = (name: string, work: object) => ({ name, ms: 10, bytes: 1e6, floats: 0, integers: 0, ...work })
  const svg = roofline([
    { format: 'f32', limit, operations: [operation('linear_forward', { floats: 3e8 }), operation('gelu_erf_forward', {})] },
    { format: 'int8', limit, operations: [operation('int8_forward', { integers: 6e8 }), operation('linear_forward', { floats: 3e8 })] },
  ], 'CPU')
  assert.is([...svg.matchAll(/<circle/g)].length, 2)
  assert.match(svg, />linear_forward: 30</)
  assert.match(svg, />int8_forward: 60</)
  assert.not.match(svg, /NaN|undefined/)
})

test.run()
