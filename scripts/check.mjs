// Runs the gates of the project: `node scripts/check.mjs [--quick] [NAME ...]`, one line each, all without names.
// `exports --update` accepts the public names as they are now. Needs a build; makes one where sources are newer.
import { fileURLToPath } from 'node:url'
import { buildJs, buildWasm, fresh } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** In the order in which they run: each is a file of scripts/check with `title` and `check`. */
export const names = ['layers', 'bans', 'reductions', 'tests', 'lines', 'words', 'layout', 'links', 'kernels', 'wasm', 'types', 'exports', 'size', 'fences']

/**
 * Runs checks; prints a line each, and what is wrong and what to do about it.
 *
 * @param {{ only?: string[], quick?: boolean, update?: boolean }} options
 * @returns {Promise<{ name: string, failed: boolean, seconds: number }[]>}
 */
export async function runChecks({ only = names, quick = false, update = false } = {}) {
  const results = []
  for (const name of only) {
    const { title, check, report = false } = await import(`./check/${name}.mjs`)
    const started = performance.now()
    let problems, notes = []
    try {
      ({ problems, notes = [] } = await check({ root, quick, update }))
    } catch (error) {
      problems = [`the check itself failed: ${error.stack ?? error}`]
    }
    const seconds = (performance.now() - started) / 1000
    const failed = problems.length > 0
    console.log(`${failed ? 'FAIL' : report ? 'info' : 'ok  '} check ${name}: ${title}  ${seconds.toFixed(1)} s`)
    for (const note of notes) console.log(`       ${note}`)
    for (const problem of problems) console.log(`     - ${problem}`)
    if (!report || failed) results.push({ name, failed, seconds }) // a report is no test
  }
  return results
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = process.argv.slice(2).filter((word) => word.startsWith('-'))
  const only = process.argv.slice(2).filter((word) => !word.startsWith('-'))
  const wrong = [...options.filter((word) => !['--quick', '--update'].includes(word)), ...only.filter((word) => !names.includes(word))]
  if (wrong.length > 0) {
    console.error(`check: expected --quick, --update or names among ${names.join(', ')}, got ${wrong.join(' ')}`)
    process.exit(2)
  }
  if (!fresh()) {
    buildWasm()
    buildJs()
  }
  const results = await runChecks({
    only: only.length > 0 ? only : names, quick: options.includes('--quick'), update: options.includes('--update'),
  })
  const failed = results.filter((result) => result.failed).length
  console.log(`${results.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}
