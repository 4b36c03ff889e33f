/**
 * The dedicated worker of the page: everything that computes, and everything that is kept. The page stays free for its user.
 */
import type { Host } from 'sotto'
import { browser, clearCache } from 'sotto/browser'
import { startTraining } from 'sotto/federated'
import type { ClientTraining, TrainingRun } from 'sotto/federated'
import { openFilter } from '../filter/filter.ts'
import type { Filter, Mail } from '../filter/filter.ts'
import { sampleMails } from '../filter/mails.ts'
import { right } from '../filter/train.ts'
import type { FromWorker, Outcome, ToWorker } from './messages.ts'
import { forgetMine, keepMine, readMine } from './mine.ts'

/** SHA-256 of the files, by path; put in by build.mjs. */
declare const HASHES: Readonly<Record<string, string>>

/** How often a training that runs is saved, so that a page that is closed loses little. */
const SAVE_EVERY = 1000

const say = (message: FromWorker) => postMessage(message)
let filter: Filter | undefined
let samplesBefore = 0
let run: TrainingRun | undefined
let host: Host

async function open(threads: number): Promise<void> {
  const root = new URL('../files/', import.meta.url)
  const total = new Map<string, number>(), loaded = new Map<string, number>()
  let fetched = false, problem: string | undefined
  host = browser({
    hashes: Object.fromEntries(Object.entries(HASHES).map(([path, hash]) => [new URL(path, root).href, hash])),
    onFile(event) {
      total.set(event.url, event.total ?? 0)
      loaded.set(event.url, event.loaded)
      if (event.from === 'network') fetched = true
      // what was damaged and is whole again is nothing to tell of
      if (event.kept === false) problem ??= event.problem
      const sum = (of: Map<string, number>) => [...of.values()].reduce((a, b) => a + b, 0)
      say({ kind: 'loading', loaded: sum(loaded), total: Math.max(sum(total), 7_400_000) })
    },
  })
  filter = await openFilter(host, { model: new URL('model', root).href, start: new URL('start', root).href, ...host.threads && { threads } })
  samplesBefore = right(filter.classify(sampleMails.map(({ text }) => text)), sampleMails)
  const mine = await readMine().catch(() => undefined)
  let outcome: Outcome | undefined
  if (mine?.values) {
    filter.restore(mine.values)
    outcome = await outcomeOf(filter, mine.contribution!)
  }
  say({
    kind: 'ready', threads: filter.threads, simd: filter.task.encoder.engine.variant !== 'scalar', isolated: crossOriginIsolated, fetched,
    ...problem !== undefined && { problem }, ...mine && { mine: { mails: mine.mails, interrupted: mine.saved !== undefined } }, ...outcome && { outcome },
  })
}

async function train(mails: readonly Mail[], resume: boolean): Promise<void> {
  const mine = resume ? await readMine() : undefined
  const training: ClientTraining = filter!.train(mails, mine?.saved ? { saved: mine.saved } : {})
  let last = -Infinity
  const started = performance.now()
  run = startTraining(training, host, progress => {
    say({ kind: 'progress', ...progress })
    if (performance.now() - last > SAVE_EVERY || progress.paused) {
      last = performance.now()
      // what cannot be kept (a private window, no room) is only lost with the page
      void keepMine({ mails, saved: training.save() }).then(() => { if (progress.paused) say({ kind: 'kept', done: progress.done }) }, () => {})
    }
  })
  const result = await run.result
  run = undefined
  if (result === undefined) {
    await forgetMine().catch(() => {})
    return say({ kind: 'cancelled' })
  }
  const contribution = { length: result.contribution.length, bits: filter!.plan.lattice.modulusBits, first: [...result.contribution.slice(0, 8)], hash: result.hash }
  const kept = await keepMine({ mails, values: filter!.values(), contribution }).then(() => true, () => false)
  say({ kind: 'trained', seconds: (performance.now() - started) / 1000, kept, ...await outcomeOf(filter!, contribution) })
}

async function outcomeOf(of: Filter, contribution: Outcome['contribution']): Promise<Outcome> {
  return {
    contribution, adapter: await of.hash(), samples: sampleMails.length, samplesBefore,
    samplesAfter: right(of.classify(sampleMails.map(({ text }) => text)), sampleMails),
  }
}

async function hear(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case 'open': return open(message.threads)
    case 'classify': return say({ kind: 'verdicts', id: message.id, chances: filter!.classify(message.texts) })
    case 'train': return train(message.mails, message.resume)
    case 'pause': return run?.pause()
    case 'resume': return run?.resume()
    case 'cancel': return run?.cancel()
    case 'undo':
      filter!.reset()
      await forgetMine().catch(() => {})
      return say({ kind: 'undone' })
    case 'forget':
      run?.cancel()
      await run?.result
      filter?.reset()
      await forgetMine()
      await clearCache()
      return say({ kind: 'forgotten' })
  }
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  hear(data).catch((error: Error) => {
    run = undefined
    say({ kind: 'failed', doing: data.kind, message: error.message })
  })
})
