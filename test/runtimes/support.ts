/** The drivers, and the suite run through one of them. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as assert from 'uvu/assert'
import type { Check } from './suite.ts'

type Drivers = typeof import('../../scripts/runtimes/index.mjs')
type Runtime = ReturnType<Drivers['runtime']>
type RunOptions = NonNullable<Parameters<Runtime['run']>[1]>
type Program = NonNullable<Parameters<Runtime['run']>[0]>

// not bundled with the tests: the drivers read files beside them
export const { runtime, runtimes, current } = await import(pathToFileURL(join(process.cwd(), 'scripts/runtimes/index.mjs')).href) as Drivers

/** Those of the named runtimes that are here; of the others a line says how to get them. */
export function present(...names: string[]): Runtime[] {
  return names.map(runtime).filter(({ name, find }) => {
    const { missing } = find() as { missing?: string }
    if (missing !== undefined) console.log(`\nSKIPPED: ${name}: ${missing}`)
    return missing === undefined
  })
}

/** The suite's entry in a runtime, and its threads' script. */
export function programOf(name: string): Program {
  const kind = /^(node|bun)/.exec(name)?.[0] ?? (/^(chromium|firefox|webkit|cog)$/.test(name) ? 'browser' : name === 'jsc' ? 'generic' : name)
  return {
    entry: `test/runtimes/${kind}.ts`, folders: { 'tiny-bert': 'test/fixtures/tiny-bert', 'tiny-bert-f16': 'test/fixtures/tiny-bert-f16' },
    scripts: ['node', 'deno', 'bun', 'browser'].includes(kind) ? { [`${kind}-thread.js`]: `src/runtime/${kind}-thread.ts` } : {},
  }
}

let reference: Promise<Check[]> | undefined

/** The suite in the Node that runs this. */
export function referenceChecks(): Promise<Check[]> {
  return reference ??= current.run(programOf('node')) as Promise<Check[]>
}

/** Runs the suite; every check passes, and what it computed is what Node computed. Gives the names of the checks. */
export async function passesSuite({ name, run }: Runtime, options: RunOptions = {}, changes: Partial<Program> = {}): Promise<string[]> {
  const expected = new Map((await referenceChecks()).map(check => [check.name, check]))
  const checks = await run({ ...programOf(name), ...changes }, { timeout: 300, ...options }) as Check[]
  const failed = checks.filter(check => !check.ok).map(check => `${check.name}: ${check.detail}`)
  assert.is(failed.length, 0, `${name}: ${failed.join('\n')}`)
  for (const { name: title, detail } of checks) assert.is(detail, expected.get(title)?.detail, `${name}: ${title}`)
  return checks.map(check => check.name)
}

/** What every runtime can do, and what those with threads and files can do as well. */
export const EVERYWHERE = ['tokens', 'embedding', 'training', 'training, scalar build', 'contribution', 'simulation']
export const ON_THREADS = ['training, 2 threads a step', 'simulation, 2 threads']
export const ON_DISKS = ['a folder is saved whole', 'what cannot be saved is refused, and nothing is touched']
