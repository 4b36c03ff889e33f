// How much a page must load to take part in training: a client that loads a model, trains and encodes a contribution,
// bundled and minified, with the module. A report, not a limit.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

export const title = 'size of a browser client'
export const report = true

/** What such a client uses, by source file; those that are not written yet are left out and named. */
const parts = {
  'src/wasm/engine.ts': ['createEngine'],
  'src/model/load.ts': ['loadModel'],
  'src/peft/lora.ts': ['attachLora'],
  'src/train/classifier.ts': ['textClassifier'],
  'src/train/step.ts': ['trainStep'],
  'src/optim/optimizer.ts': ['sgd', 'adamw'],
  'src/privacy/mechanism/index.ts': ['encode', 'chooseLattice', 'SystemNoise'],
}

export async function clientSize(root) {
  const present = Object.entries(parts).filter(([file]) => existsSync(join(root, file)))
  const contents = present.map(([file, names]) => `export { ${names.join(', ')} } from './${file}'`).join('\n')
  const result = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' }, bundle: true, minify: true, format: 'esm', platform: 'browser',
    target: 'es2022', write: false, metafile: true, logLevel: 'silent', absWorkingDir: root,
  })
  const [{ bytesInOutput, inputs }] = Object.values(result.metafile.outputs).map((output) => ({ bytesInOutput: output.bytes, inputs: output.inputs }))
  const packages = {}
  for (const [file, { bytesInOutput: bytes }] of Object.entries(inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'sotto'
    packages[name] = (packages[name] ?? 0) + bytes
  }
  const script = gzipSync(result.outputFiles[0].contents, { level: 9 }).length
  const module = gzipSync(readFileSync(join(root, 'dist/wasm/sotto.simd.wasm')), { level: 9 }).length
  return { raw: bytesInOutput, script, module, packages, missing: Object.keys(parts).filter((file) => !existsSync(join(root, file))) }
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

export async function check({ root }) {
  const { raw, script, module, packages, missing } = await clientSize(root)
  const shares = Object.entries(packages).sort((a, b) => b[1] - a[1]).map(([name, bytes]) => `${name} ${kB(bytes)}`).join(', ')
  return {
    problems: [],
    notes: [
      `${kB(script + module)} gzipped: script ${kB(script)} (minified ${kB(raw)}), module ${kB(module)}`,
      `minified, by package: ${shares}`, ...missing.map((file) => `without ${file}, which does not exist yet`),
    ],
  }
}
