// Starts every runtime that is here, and tells on stdout, in a line each, the names of those that ran a small program:
//   node scripts/runtimes/probe.mjs
// What is installed is not for that fit to run: a download may have stopped half-way, a browser may lack a right.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runtimes } from './index.mjs'

const entry = fileURLToPath(new URL('./ground/hello.mjs', import.meta.url))

/**
 * @param {import('./index.mjs').Runtime} runtime
 * @returns {Promise<string | undefined>} why it does not run here
 */
export async function probe({ find, run }) {
  const { missing } = find()
  if (missing !== undefined) return missing
  const wasm = mkdtempSync(join(tmpdir(), 'sotto-probe-'))
  // modules without anything in them: the project need not be built
  for (const variant of ['simd', 'scalar']) writeFileSync(join(wasm, `sotto.${variant}.wasm`), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  try {
    const answer = await run({ entry, input: 'hello', wasm }, { timeout: 60 })
    return answer?.heard === 'hello' ? undefined : `expected an echo, got ${JSON.stringify(answer)}`
  } catch (error) {
    return error.message.split('\n')[0]
  } finally {
    rmSync(wasm, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const queue = [...runtimes]
  const work = async () => {
    for (let runtime = queue.shift(); runtime !== undefined; runtime = queue.shift()) {
      const why = await probe(runtime)
      if (why === undefined) console.log(runtime.name)
      else console.error(`SKIPPED: ${runtime.name}: ${why}`)
    }
  }
  await Promise.all([work(), work()])
}
