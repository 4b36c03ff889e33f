// slow: starts the runner some twenty times
/** The test run fails where it should: in a small project of its own, with planted test files. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const folder = mkdtempSync(join(tmpdir(), 'sotto-runner-'))
test.after(() => rmSync(folder, { recursive: true, force: true }))

mkdirSync(join(folder, 'scripts'))
for (const name of ['test.mjs', 'test-all.mjs']) copyFileSync(`scripts/${name}`, join(folder, 'scripts', name))
symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
writeFileSync(join(folder, 'scripts/build.mjs'), 'export const fresh = () => true, buildWasm = () => {}, buildJs = () => {}\n')

const GOOD = `import { test } from 'uvu'\ntest('a', () => {})\ntest('b', () => {})\ntest.run()\n`
const CHECKS = [{ name: 'layers', failed: false, seconds: 0 }]

interface Outcome { code: number | null, last: string, output: string }

/** Runs `node scripts/SCRIPT` over these test files; without a floor unless one is given. */
function run(script: string, files: Record<string, string>, { floor = 0, checks = CHECKS, args = ['--quick'] } = {}): Outcome {
  for (const name of ['test', 'build']) rmSync(join(folder, name), { recursive: true, force: true })
  mkdirSync(join(folder, 'test'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'test', name), text)
  writeFileSync(join(folder, 'test/floor.json'), JSON.stringify({ quick: floor, full: floor }))
  writeFileSync(join(folder, 'scripts/check.mjs'), `export const runChecks = async () => (${JSON.stringify(checks)})\n`)
  const { status, stdout, stderr } = spawnSync(process.execPath, [`scripts/${script}`, ...args], { cwd: folder, encoding: 'utf8' })
  return { code: status, last: stdout.trimEnd().split('\n').at(-1) ?? '', output: stdout + stderr }
}

const all = (files: Record<string, string>, options = {}): Outcome => run('test-all.mjs', files, options)

test('tests and checks that pass: exit code 0, and the count as the last line', () => {
  const { code, last, output } = all({ 'a.test.ts': GOOD, 'b.test.ts': GOOD }, { floor: 5 })
  assert.is(last, '5 passed, 0 failed', output)
  assert.is(code, 0)
})

test('a file that registers no test fails, whether it forgets to run or has none', () => {
  for (const text of [GOOD.replace('test.run()', ''), `import { test } from 'uvu'\ntest.run()\n`, 'export {}\n']) {
    const { code, last, output } = all({ 'a.test.ts': GOOD, 'b.test.ts': text })
    assert.is(last, '3 passed, 1 failed', output)
    assert.match(output, /registered no test/)
    assert.is(code, 1)
  }
})

test('a total below the floor fails and says so', () => {
  const { code, last, output } = all({ 'a.test.ts': GOOD }, { floor: 4 })
  assert.is(last, '3 passed, 1 failed')
  assert.match(output, /expected at least 4 tests \(test\/floor\.json\), got 3/)
  assert.is(code, 1)
})

test('a failed test, a process that dies, a file that does not parse and a failed check are each counted, and others still run', () => {
  const good = { 'good.test.ts': GOOD }
  for (const [title, text] of Object.entries({
    fails: GOOD.replace('() => {}', `() => { throw new Error('planted') }`),
    dies: `${GOOD}process.exit(7)\n`,
    hangs: `${GOOD.replace('() => {}', 'async () => { await new Promise(() => {}) }')}`,
    'does not parse': 'const = 1\n',
    'has a wrong import': `import { x } from './none.ts'\nx()\n${GOOD}`,
  })) {
    const { code, last, output } = all({ ...good, 'bad.test.ts': text })
    assert.match(last, /^[3-5] passed, 1 failed$/, `${title}: ${output}`)
    assert.is(code, 1, title)
  }
  const { code, last } = all(good, { checks: [{ name: 'layers', failed: true, seconds: 0 }] })
  assert.is(last, '2 passed, 1 failed')
  assert.is(code, 1)
})

test('words that a test prints are not taken for its count', () => {
  const { last } = all({ 'a.test.ts': `console.log('Total: 9\\n  Passed: 9')\n${GOOD}` })
  assert.is(last, '3 passed, 0 failed')
})

test('slow files are left out of the quick run only', () => {
  const files = { 'a.test.ts': GOOD, 'b.test.ts': `// slow: reason\n${GOOD}` }
  assert.is(all(files).last, '3 passed, 0 failed')
  assert.is(all(files, { args: [] }).last, '5 passed, 0 failed')
})

test('single files run by a word of their path; a word that fits none fails', () => {
  const files = { 'a.test.ts': GOOD, 'b.test.ts': GOOD }
  assert.is(run('test.mjs', files, { args: ['b.test'] }).last, '2 passed, 0 failed')
  const { code, output } = run('test.mjs', files, { args: ['none'] })
  assert.is(code, 1)
  assert.match(output, /expected a word of a test file's path, got none/)
  assert.is(all(files, { args: ['--fast'] }).code, 2)
})

test.run()
