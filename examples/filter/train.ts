/**
 * The example for runtimes with a terminal: trains the filter on a file of mails, shows what it thinks before and after, and
 * writes the adapter. Node, Deno and Bun differ in the host alone.
 */
import type { Host } from 'sotto'
import { runSlice } from 'sotto/federated'
import { openFilter, sha256, titleOf } from './filter.ts'
import type { Mail } from './filter.ts'
import { ownMails, sampleMails } from './mails.ts'

/** What a run of the example found. */
export interface Report {
  readonly runtime: string
  readonly adapter: string
  readonly contribution: string
  readonly learned: number
  readonly mails: number
  readonly samplesBefore: number
  readonly samplesAfter: number
  readonly samples: number
}

/**
 * @param host - with `save`
 * @param paths - as the host knows them: files of examples/prepare.mjs, a JSON list of mails ({ text, label }), the adapter
 */
export async function trainExample(host: Host, paths: { files: string, mails?: string | undefined, out?: string | undefined }, print: (line: string) => void): Promise<Report> {
  const filter = await openFilter(host, { model: `${paths.files}/model`, start: `${paths.files}/start` })
  const mails = paths.mails === undefined ? ownMails : await readMails(host, paths.mails)
  const texts = mails.map(({ text }) => text)
  const before = filter.classify(texts), samplesBefore = right(filter.classify(sampleMails.map(({ text }) => text)), sampleMails)

  const training = filter.train(mails), started = host.now()
  while (!runSlice(training, { steps: 6 }).finished) {
    print(`  step ${training.done} of ${training.steps}, loss ${training.loss.toFixed(3)}`)
  }
  const { contribution, hash, local } = training.finish()
  training.close()
  print(`trained ${local.steps} steps on ${local.examples} mails in ${((host.now() - started) / 1000).toFixed(2)} s\n`)

  const after = filter.classify(texts), samplesAfter = right(filter.classify(sampleMails.map(({ text }) => text)), sampleMails)
  print('chance of spam, before and after:')
  mails.forEach(({ text, label }, i) => print(`  ${percent(before[i])} -> ${percent(after[i])}  ${label.padEnd(4)}  ${titleOf(text)}`))
  print(`\nright on ${samplesBefore} of ${sampleMails.length} other mails before, on ${samplesAfter} after`)
  print(`would leave the device: ${contribution.length} integers from ${min(contribution)} to ${max(contribution)}, SHA-256 ${hash}`)
  const files = filter.files()
  print(`adapter: SHA-256 ${await filter.hash()}`)
  if (paths.out !== undefined && host.save) {
    await host.save(paths.out, files)
    print(`written to ${paths.out}: ${Object.keys(files).join(', ')}`)
  }
  return {
    runtime: host.name, adapter: await sha256(files['adapter_model.safetensors'] as Uint8Array<ArrayBuffer>), contribution: hash,
    learned: right(after, mails), mails: mails.length, samplesBefore, samplesAfter, samples: sampleMails.length,
  }
}

async function readMails(host: Host, path: string): Promise<Mail[]> {
  const at = path.lastIndexOf('/'), folder = at < 0 ? '.' : path.slice(0, at + 1)
  const mails: unknown = JSON.parse(new TextDecoder().decode(await host.folder(folder).read(path.slice(at + 1))))
  const isMail = (mail: Mail | null) => typeof mail?.text === 'string' && ['spam', 'ham'].includes(mail.label)
  if (!Array.isArray(mails) || mails.length === 0 || !mails.every(isMail)) {
    throw new Error(`${path} expected a list of mails [{ "text": "...", "label": "spam" or "ham" }, ...]`)
  }
  return mails
}

/** How many a filter judges right. */
export function right(chances: readonly number[], mails: readonly Mail[]): number {
  return mails.filter(({ label }, i) => (chances[i] > 0.5) === (label === 'spam')).length
}

const percent = (chance: number) => `${(100 * chance).toFixed(0).padStart(3)} %`
const min = (values: Int32Array) => values.reduce((a, b) => Math.min(a, b))
const max = (values: Int32Array) => values.reduce((a, b) => Math.max(a, b))
