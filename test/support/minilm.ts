/** Where the real all-MiniLM-L6-v2 is, if anywhere. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** SOTTO_MINILM, or what scripts/golden/find-minilm.py finds with SOTTO_PYTHON or python3. */
export function findMiniLm(): string | undefined {
  const python = process.env['SOTTO_PYTHON'] ?? 'python3'
  const folder = process.env['SOTTO_MINILM'] || spawnSync(python, ['scripts/golden/find-minilm.py'], { encoding: 'utf8' }).stdout?.trim()
  return folder && existsSync(`${folder}/model.safetensors`) ? folder : undefined
}
