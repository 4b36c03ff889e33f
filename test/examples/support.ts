/** The examples' own scripts, the runtimes' drivers, and what the filter comes to in this Node. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { trainExample } from '../../examples/filter/train.ts'
import type { Report } from '../../examples/filter/train.ts'
import { node } from '../../src/runtime/node.ts'

/** A folder that is gone when the tests are. */
export function temporary(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `sotto-example-${name}-`))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A script that is not bundled with the tests: it reads files beside it. */
export const script = async <T>(path: string): Promise<T> => await import(pathToFileURL(join(process.cwd(), path)).href) as T

type Drivers = typeof import('../../scripts/runtimes/index.mjs')
const { runtime } = await script<Drivers>('scripts/runtimes/index.mjs')
const { files, prepare } = await script<typeof import('../../examples/prepare.mjs')>('examples/prepare.mjs')

/** Those of the named runtimes that are here; of the others a line says how to get them. */
export function present(...names: string[]): { name: string, path: string, run: ReturnType<Drivers['runtime']>['run'] }[] {
  return names.flatMap(name => {
    const { find, run } = runtime(name), found = find()
    if ('missing' in found) console.log(`\nSKIPPED: the example in ${name}: ${found.missing}`)
    return 'missing' in found ? [] : [{ name, path: found.path, run }]
  })
}

let reference: Promise<Report> | undefined

/** The example on its own mails, in the Node that runs this. */
export function inNode(): Promise<Report> {
  return reference ??= (prepare(), trainExample(node(), { files }, () => {}))
}
