// Lays out a program for a runtime: one self-contained script, the module's builds and the files that it reads.
//
//   run/main.js       the entry with the runtime's ground, bundled; beside it the extra scripts (threads)
//   wasm/             sotto.*.wasm, where an adapter looks for them
//   files/            folders of the program, under the names that it gave them
//   input.json
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const grounds = fileURLToPath(new URL('./ground', import.meta.url))

/**
 * What runs in a runtime: a module that exports `main(ground)`, which returns what JSON can say. Relative paths are
 * relative to the project.
 *
 * @typedef {object} Program
 * @property {string} entry - TypeScript or JavaScript; bundled with all that it imports
 * @property {unknown} [input] - given to it as `ground.input`; JSON
 * @property {Record<string, string>} [folders] - folders or files that it reads, by name
 * @property {Record<string, string>} [scripts] - further scripts, e.g. { 'node-thread.js': 'src/runtime/node-thread.ts' }
 * @property {string} [wasm] - folder of the module's builds; default: dist/wasm
 */

/**
 * What `main` gets; the same in every runtime.
 *
 * @typedef {object} Ground
 * @property {string} runtime - kind of runtime: process, browser, workerd or jsc
 * @property {unknown} input
 * @property {string} root - where the files are: a directory's path or a URL
 * @property {(name: string) => Promise<Uint8Array>} file - a file below `root`
 * @property {(variant: 'simd' | 'shared' | 'scalar') => Promise<WebAssembly.Module>} wasm - a compiled build
 */

/**
 * @param {string} folder - empty
 * @param {Program} program
 * @param {{ ground: string, header?: string }} options - ground: file of ground/; header: goes before everything else
 */
export async function stage(folder, { entry, input = null, folders = {}, scripts = {}, wasm = 'dist/wasm' }, { ground, header = '' }) {
  mkdirSync(join(folder, 'run'))
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(folder, 'input.json'), JSON.stringify(input))
  cpSync(resolve(root, wasm), join(folder, 'wasm'), { recursive: true })
  for (const [name, from] of Object.entries(folders)) {
    if (name.includes('/')) mkdirSync(join(folder, 'files', name, '..'), { recursive: true })
    symlinkSync(resolve(root, from), join(folder, 'files', name))
  }
  const common = {
    bundle: true, format: 'esm', platform: 'neutral', target: 'es2022', mainFields: ['module', 'main'],
    conditions: ['import', 'module'], external: ['node:*', 'bun:*', 'bun', 'cloudflare:*', '*.wasm'], sourcemap: 'inline',
    logLevel: 'silent', absWorkingDir: root,
  }
  await build({
    ...common, outfile: join(folder, 'run/main.js'), banner: { js: header },
    // the ground first: it adds what its runtime lacks
    stdin: { contents: `import { serve } from './${ground}'\nimport { main } from ${JSON.stringify(resolve(root, entry))}\n${
      ground === 'workerd.mjs' ? 'export default serve(main)' : 'serve(main)'}\n`, resolveDir: grounds },
  })
  for (const [name, from] of Object.entries(scripts)) {
    await build({ ...common, entryPoints: [resolve(root, from)], outfile: join(folder, 'run', name) })
  }
}

/** Takes apart what a ground reported: the result, or the error that was thrown there. */
export function resultOf(name, text) {
  const answer = JSON.parse(text)
  if (!('error' in answer)) return answer.result
  throw new Error(`${name}: ${answer.error}`)
}
