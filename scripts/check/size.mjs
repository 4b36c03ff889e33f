// How much a page must load to take part in training: a client that loads a model, trains an adapter and makes a
// contribution, through `sotto/browser`, with its threads' script and the module; bundled, minified and gzipped.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Most bytes, gzipped. */
export const LIMIT = 100_000

export const title = `a browser client has at most ${LIMIT / 1000} kB gzipped, the module included`

/** What such a client uses, by source file. */
const parts = {
  'src/runtime/browser.ts': ['browser', 'clearCache'],
  'src/model/load.ts': ['loadModel'],
  'src/peft/lora.ts': ['attachLora'],
  'src/train/classifier.ts': ['textClassifier', 'sliceOf'],
  'src/train/step.ts': ['trainStep', 'predict'],
  'src/optim/optimizer.ts': ['sgd', 'adamw'],
  'src/federated/index.ts': ['contribute', 'startTraining', 'planHash'],
}

/**
 * @param {string} root - folder of the project
 * @returns {Promise<{ script: number, thread: number, module: number, raw: number, shares: Record<string, number> }>} bytes;
 *   gzipped: `script` of the page, `thread` what only the threads' script has, `module` the larger of the two builds that a
 *   browser with SIMD takes; minified: `raw`, and `shares` by package and by our own folders
 */
export async function clientSize(root) {
  const client = Object.entries(parts).map(([file, names]) => `export { ${names.join(', ')} } from './${file}'`).join('\n')
  const result = await build({
    entryPoints: { client: 'virtual:client', thread: join(root, 'src/runtime/browser-thread.ts') }, outdir: '/out',
    plugins: [{
      name: 'client', setup(plugin) {
        plugin.onResolve({ filter: /^virtual:client$/ }, () => ({ path: 'client', namespace: 'virtual' }))
        plugin.onLoad({ filter: /.*/, namespace: 'virtual' }, () => ({ contents: client, resolveDir: root, loader: 'ts' }))
      },
    }],
    bundle: true, splitting: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, metafile: true,
    logLevel: 'silent', absWorkingDir: root,
  })
  const shares = {}
  let raw = 0
  for (const { bytes, inputs } of Object.values(result.metafile.outputs)) {
    raw += bytes
    for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? /^(src\/[^/]+)\//.exec(file)?.[1] ?? 'src'
      shares[name] = (shares[name] ?? 0) + bytesInOutput
    }
  }
  const zipped = (contents) => gzipSync(contents, { level: 9 }).length
  const of = (wanted) => result.outputFiles.filter(({ path }) => /[\\/]thread\.js$/.test(path) === wanted).reduce((sum, { contents }) => sum + zipped(contents), 0)
  const module = Math.max(...['simd', 'shared'].map((name) => zipped(readFileSync(join(root, `dist/wasm/sotto.${name}.wasm`)))))
  return { script: of(false), thread: of(true), module, raw, shares }
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

/** Too much, in words. */
export function sizeProblems({ script, thread, module }, limit = LIMIT) {
  const total = script + thread + module
  return total <= limit ? [] : [`a browser client expected at most ${kB(limit)} gzipped, got ${kB(total)}: look for what came in (the shares are above), or take it out of the client's path`]
}

export async function check({ root }) {
  const size = await clientSize(root)
  const { script, thread, module, raw, shares } = size
  const table = Object.entries(shares).sort((a, b) => b[1] - a[1]).map(([name, bytes]) => `${kB(bytes).padStart(8)}  ${name}`)
  return {
    problems: sizeProblems(size),
    notes: [
      `${kB(script + thread + module)} gzipped: scripts ${kB(script)}, the threads' own ${kB(thread)}, module ${kB(module)}`,
      `scripts minified: ${kB(raw)}, of which`, ...table,
    ],
  }
}
