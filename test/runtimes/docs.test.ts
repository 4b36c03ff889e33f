// slow: starts runtimes, with the package as it is built
/** The quick starts of docs/runtimes.md, in Deno and Bun, with the package as a user has it: not bundled. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fencesOf } from '../../scripts/check/fences.mjs'
import { present } from './support.ts'

const fences = fencesOf('docs/runtimes.md', readFileSync('docs/runtimes.md', 'utf8'))
const shared = fences.find(({ file }) => file === 'train.mjs')!.code
const folder = mkdtempSync(join(tmpdir(), 'sotto-docs-'))
mkdirSync(join(folder, 'node_modules'))
mkdirSync(join(folder, 'models'))
symlinkSync(process.cwd(), join(folder, 'node_modules/sotto'))
symlinkSync(join(process.cwd(), 'test/fixtures/tiny-bert'), join(folder, 'models/all-MiniLM-L6-v2'))
writeFileSync(join(folder, 'package.json'), '{ "name": "docs", "private": true, "type": "module" }\n')
writeFileSync(join(folder, 'train.mjs'), shared)
test.after(() => rmSync(folder, { recursive: true, force: true }))

/** Threads of a step, from the package's own script; nobody closes them. */
const threads = (name: string): string => `
import { loadModel } from 'sotto'
import { ${name} } from 'sotto/${name}'
const { encoder } = await loadModel(${name}(), 'models/all-MiniLM-L6-v2', { threads: 2 })
console.log(encoder.engine.team.threads + ' threads')
`

test('Node ends while a thread is idle', () => {
  assert.match(run(process.execPath, [], 'node-threads.mjs', threads('node')), /^2 threads/)
})

for (const { name, find } of present('deno', 'bun')) {
  const { path } = find() as { path: string }
  const flags = name === 'deno' ? ['run', '--no-lock', '--no-prompt', '--allow-read'] : []

  test(`${name}: the quick start trains`, () => {
    const title = name === 'deno' ? 'in Deno' : 'in Bun'
    const fence = fences.find(({ noRun }) => noRun?.startsWith(title))!
    run(path, flags, `${name}.mjs`, fence.code)
  })

  test(`${name}: a thread starts from the package's own script, and does not keep the process alive`, () => {
    assert.match(run(path, flags, `${name}-threads.mjs`, threads(name)), /^2 threads/)
  })
}

function run(path: string, flags: readonly string[], name: string, code: string): string {
  writeFileSync(join(folder, name), code)
  return execFileSync(path, [...flags, name], { cwd: folder, encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] })
}

test.run()
