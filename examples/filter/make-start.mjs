// Trains the filter that the examples start from, examples/filter/start: LoRA of rank 4 across the mailboxes of the demo,
// with its privacy (epsilon 2, in the simulation). It is checked in, so that the examples start at once; the same
// settings give the same bytes. Takes a few minutes:
//   node scripts/build.mjs && node examples/filter/make-start.mjs
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareDemo } from '../../scripts/demo/prepare.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { config } = await prepareDemo()
const settings = JSON.parse(readFileSync(config, 'utf8'))
const small = join(root, 'build/demo/start.json'), out = join(root, 'runs/start')
writeFileSync(small, JSON.stringify({
  ...settings, name: 'start', lora: { ...settings.lora, rank: 4, alpha: 8 }, rounds: 30, cohort: 12, maxTokens: 48,
  server: { optimizer: 'adam', learningRate: 0.01 }, privacy: { ...settings.privacy, clip: 0.5 }, runs: [{ name: 'dp-lora', method: 'lora' }],
}))
execFileSync(process.execPath, ['dist/cli/main.js', 'simulate', small, '--out', out], { cwd: root, stdio: 'inherit' })
const start = fileURLToPath(new URL('./start', import.meta.url))
mkdirSync(start, { recursive: true })
for (const name of ['adapter_config.json', 'adapter_model.safetensors', 'classifier.json', 'head.safetensors']) copyFileSync(join(out, name), join(start, name))
