// Builds the page into build/examples/browser: static files that any web server can serve. The package's own scripts are
// laid out as in the package, so that the module and the threads are found beside them.
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
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
  // what the page needs without a network; the model is kept by the package
  const own = Object.fromEntries(['index.html', 'style.css', 'icon.svg', 'app/app.js', 'app/worker.js', 'app/browser-thread.js',
    ...['simd', 'shared', 'scalar'].map((name) => `wasm/sotto.${name}.wasm`)].map((path) => [path, sha256(readFileSync(join(site, path)))]))
  await build({
    entryPoints: { offline: here('offline.ts') }, outdir: site, bundle: true, minify: true, format: 'iife', platform: 'browser', target: 'es2022',
    define: { FILES: JSON.stringify(own), VERSION: JSON.stringify(sha256(JSON.stringify(own)).slice(0, 16)) }, absWorkingDir: root, logLevel: 'warning',
  })
  return site
}

const sha256 = (content) => createHash('sha256').update(content).digest('hex')

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`built ${await buildPage()}`)
