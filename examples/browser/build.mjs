// Builds the page into build/examples/browser: static files that any web server can serve. The package's own scripts are
// laid out as in the package, so that the module and the threads are found beside them.
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { files, prepare } from '../prepare.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @param {string} [site] folder of the built page @returns {Promise<string>} the folder */
export async function buildPage(site = join(root, 'build/examples/browser')) {
  const hashes = prepare()
  const here = (name) => fileURLToPath(new URL(name, import.meta.url))
  await build({
    entryPoints: { app: here('app.ts'), worker: here('worker.ts'), selftest: here('selftest.ts'), 'browser-thread': join(root, 'dist/runtime/browser-thread.js') },
    outdir: join(site, 'app'), bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', sourcemap: true,
    define: { HASHES: JSON.stringify(hashes) }, external: ['./selftest.js'], absWorkingDir: root, logLevel: 'warning',
  })
  for (const name of ['index.html', 'style.css', 'icon.svg']) cpSync(here(name), join(site, name))
  mkdirSync(join(site, 'files'), { recursive: true })
  cpSync(join(root, 'dist/wasm'), join(site, 'wasm'), { recursive: true })
  cpSync(files, join(site, 'files'), { recursive: true })
  return site
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`built ${await buildPage()}`)
