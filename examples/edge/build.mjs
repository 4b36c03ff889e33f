// Lays out the edge worker in build/examples/edge: its script, the module's builds, its files and its configuration.
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { files, prepare } from '../prepare.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @param {string} [folder] @returns {Promise<string>} the folder */
export async function buildEdge(folder = join(root, 'build/examples/edge')) {
  prepare()
  const here = (name) => fileURLToPath(new URL(name, import.meta.url))
  await build({
    entryPoints: [here('worker.ts')], outfile: join(folder, 'worker.js'), bundle: true, minify: true, format: 'esm', platform: 'neutral', target: 'es2022',
    mainFields: ['module', 'main'], conditions: ['import', 'module'], external: ['*.wasm'], absWorkingDir: root, logLevel: 'warning',
  })
  for (const variant of ['simd', 'scalar']) cpSync(join(root, `dist/wasm/sotto.${variant}.wasm`), join(folder, `sotto.${variant}.wasm`))
  cpSync(files, join(folder, 'files'), { recursive: true })
  cpSync(here('config.capnp'), join(folder, 'config.capnp'))
  mkdirSync(join(folder, 'storage'), { recursive: true })
  return folder
}
