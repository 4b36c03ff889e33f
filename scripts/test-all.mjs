// `npm test`: builds everything, runs every test file and every check, and ends with one line `N passed, N failed`.
// `--quick` builds only what is out of date, and leaves out files that begin with `// slow` and slow parts of checks.
//
// Checks count as tests. The run fails where a file registers no test, or where the total is below test/floor.json:
// so tests cannot go missing unseen. Raise the floor when tests are added.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { $ } from 'zx'
import { fresh } from './build.mjs'
import { runChecks } from './check.mjs'
import { isSlow, row, runTests, testFiles } from './test.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const started = performance.now()
const unknown = process.argv.slice(2).filter((word) => word !== '--quick')
if (unknown.length > 0) {
  console.error(`test-all: expected --quick or nothing, got ${unknown.join(' ')}; single files run by node scripts/test.mjs WORD`)
  process.exit(2)
}
const quick = process.argv.includes('--quick')

/** The last line, whatever happened. */
function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

async function main() {
  if (!(quick && fresh())) {
    const build = await $({ cwd: root, nothrow: true, stdio: 'inherit' })`${process.execPath} scripts/build.mjs`
    if (build.exitCode !== 0) {
      console.error('test-all: the build failed; its message is above')
      return finish(0, 1)
    }
  }
  const all = await testFiles()
  const files = quick ? all.filter((file) => !isSlow(file)) : all
  const results = await runTests(files)
  const checks = await runChecks({ quick })

  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  const checksFailed = checks.filter((result) => result.failed).length
  const passed = sum('passed') + checks.length - checksFailed
  let failed = sum('failed') + checksFailed

  console.log('\nfile                                                passed     time')
  for (const result of results) console.log(row(result))
  console.log(row({ file: 'checks', passed: checks.length - checksFailed, total: checks.length, skipped: 0, seconds: checks.reduce((total, result) => total + result.seconds, 0) }))
  console.log(`total: ${passed + failed} in ${results.length} files${quick ? ` (${all.length - files.length} slow ones left out)` : ''} and ${checks.length} checks, ` +
    `${sum('skipped')} skipped, ${((performance.now() - started) / 1000).toFixed(0)} s, Node ${process.versions.node}`)
  for (const { file } of results.filter((result) => result.failed > 0)) console.log(`FAIL ${file}`)
  for (const { name } of checks.filter((result) => result.failed)) console.log(`FAIL check ${name}: node scripts/check.mjs ${name}`)

  const floor = JSON.parse(readFileSync(join(root, 'test/floor.json'), 'utf8'))[quick ? 'quick' : 'full']
  if (passed + failed < floor) {
    console.log(`FAIL expected at least ${floor} tests (test/floor.json), got ${passed + failed}; find what no longer registers, or lower the floor with a reason`)
    failed++
  }
  finish(passed, failed)
}

try {
  await main()
} catch (error) {
  console.error(error)
  finish(0, 1)
}
