/**
 * Runs the variants of a settings file one after another, over the same clients and the same test set.
 * @module
 */
import type { Host } from '../host.ts'
import { transcriptRecorder } from '../replay/record.ts'
import type { TranscriptRecorder } from '../replay/record.ts'
import { bytesText } from '../report/format.ts'
import { privacyStatement } from '../report/privacy-statement.ts'
import { entryText } from '../privacy/ledger/index.ts'
import type { RunRecord } from '../report/run.ts'
import { simulate } from '../simulation/simulate.ts'
import type { RoundReport, Simulation, SimulationResult } from '../simulation/simulate.ts'
import type { SimulationOptions } from '../simulation/options.ts'
import { buildTask } from '../simulation/task.ts'
import type { Task } from '../simulation/task.ts'
import { trainedFiles } from '../simulation/trained-files.ts'
import type { Config } from './config.ts'
import type { Texts } from './data.ts'

/** What is told while runs are under way. */
export interface Watcher {
  /** A run begins: its number, from 0. */
  begin(run: string, number: number): void
  round(report: RoundReport): void
  /** Asks whether to stop; asked after every round. */
  readonly stopped: () => boolean
}

/** A finished run and its model's files. */
export interface FinishedRun {
  readonly record: RunRecord
  readonly files: Readonly<Record<string, Uint8Array | string>>
}

/** What has come of all runs. */
export interface Outcome {
  readonly finished: readonly FinishedRun[]
  /** Names of those that were not started. */
  readonly left: readonly string[]
  /** Why it ended early, where it did. */
  readonly failure: unknown
}

type RunConfig = Config['runs'][number]

/** Checks every run as far as can be without running: settings, and that the model has what is asked for. */
export async function prepare(host: Host, config: Config, texts: Texts): Promise<readonly { readonly options: SimulationOptions, readonly trained: number, readonly taskHash: string }[]> {
  const known = new Map<string, { trained: number, hash: string }>()
  const prepared = []
  for (const run of config.runs) {
    const options = optionsOf(host, run, texts, config.threads)
    simulate(options) // checks; nothing runs until it is iterated
    const key = JSON.stringify(options.task)
    let task = known.get(key)
    if (task === undefined) {
      const built = await buildTask(host, options.task)
      task = { trained: trainedNumbers(built), hash: built.hash }
      known.set(key, task)
    }
    prepared.push({ options, trained: task.trained, taskHash: task.hash })
  }
  return prepared
}

/** Runs all that was prepared. A run that fails, or a stop, leaves the finished ones standing. */
export async function runAll(
  config: Config, prepared: Awaited<ReturnType<typeof prepare>>, watcher: Watcher, transcripts: TranscriptChoice,
): Promise<Outcome> {
  const finished: FinishedRun[] = []
  const left = () => config.runs.slice(finished.length).map(run => run.name)
  for (const [i, { options, trained, taskHash }] of prepared.entries()) {
    if (watcher.stopped()) return { finished, left: left(), failure: undefined }
    watcher.begin(config.runs[i].name, i)
    try {
      const recorder = transcripts.keep === 'none' ? undefined : recorderOf(config.runs[i], options, transcripts)
      const result = await runOne(simulate({ ...options, ...(recorder && { recorder }) }), watcher)
      if (result.rounds.length === 0) return { finished, left: left(), failure: undefined }
      const model = trainedFiles(result.classifier)
      const files = { ...model, 'ledger.jsonl': ledgerText(result), ...recorder?.files(model) }
      finished.push({ files, record: recordOf(config.runs[i], result, trained, taskHash, recorder?.head) })
    } catch (error) {
      return { finished, left: left(), failure: error }
    }
  }
  return { finished, left: [], failure: undefined }
}

/** Which transcripts are kept. */
export interface TranscriptChoice {
  readonly keep: 'none' | 'hashes' | 'full' | 'auto'
  readonly model: string
  readonly sotto: string
  /** Told where arrays were too large to be kept. */
  readonly say: (text: string) => void
}

function recorderOf({ name }: RunConfig, { host }: SimulationOptions, { keep, model, sotto, say }: TranscriptChoice): TranscriptRecorder {
  return transcriptRecorder({
    arrays: keep as 'hashes' | 'full' | 'auto', about: { sotto, model, run: name, runtime: `${host.name} ${host.version}` },
    onArrays(arrays, bytes) {
      if (keep === 'auto' && arrays === 'hashes') {
        say(`${name}: the transcript keeps hashes only, since its arrays could take ${bytesText(bytes)}; --transcript full keeps them`)
      }
    },
  })
}

async function runOne(simulation: Simulation, watcher: Watcher): Promise<SimulationResult> {
  for await (const report of simulation) {
    watcher.round(report)
    // without threads nothing else lets signals and the terminal have their turn
    await new Promise(resolve => { setImmediate(resolve) })
    if (watcher.stopped()) simulation.stop()
  }
  return simulation.result()
}

/** A run's settings, as a simulation takes them. */
export function optionsOf(host: Host, run: RunConfig, { labels, clients, test }: Texts, threads: number | undefined): SimulationOptions {
  const { name, model, lora, format, embeddings, pooling, method, rounds, cohort, local, server, privacy, seed, noise, maxTokens, evaluateEvery, evaluateExamples } = run
  const given = <K extends string, V>(key: K, value: V | undefined) => (value === undefined ? {} : { [key]: value }) as { [key in K]?: V }
  return {
    host, name, clients, test, rounds, cohort, local, server, method,
    task: { model, labels, ...given('lora', lora), ...given('format', format), ...given('embeddings', embeddings), ...given('pooling', pooling) },
    ...given('privacy', privacy), ...given('seed', seed), ...given('noise', noise), ...given('maxTokens', maxTokens),
    ...given('evaluateEvery', evaluateEvery), ...given('evaluateExamples', evaluateExamples), ...given('threads', threads),
  }
}

function trainedNumbers({ classifier }: Task): number {
  const { adapter, parameters, encoder } = classifier
  const frozen = adapter === undefined ? new Set<string>() : new Set(encoder.tensors.map(tensor => tensor.name))
  return [...parameters.values()].reduce((sum, tensor) => sum + (frozen.has(tensor.name) ? 0 : tensor.length), 0)
}

function recordOf(run: RunConfig, result: SimulationResult, trained: number, taskHash: string, transcript: string | undefined): RunRecord {
  const { privacy, noise, rounds, classifier, ledger } = result
  return Object.freeze({
    name: run.name, method: methodInWords(run), kind: run.method.kind, maxRank: run.lora?.rank,
    labels: classifier.labels, rounds, plannedRounds: run.rounds, accuracy: result.accuracy, confusion: result.confusion,
    privacy: privacy === undefined || noise === 'none' ? null : privacyStatement({
      plan: privacy, events: rounds.map(round => round.event), plannedRounds: run.rounds, cohort: run.cohort, noise,
    }),
    bytesDown: result.bytesDown, bytesUp: result.bytesUp, seconds: result.seconds, threads: result.threads,
    cohort: run.cohort, trained, taskHash, finalHash: result.finalHash,
    ledger: { entries: ledger.length, head: ledger[ledger.length - 1].hash }, transcriptHead: transcript ?? null,
  })
}

/** The run's ledger, a line an entry: what `sotto budget --ledger` reads. */
function ledgerText({ ledger }: SimulationResult): string { return ledger.map(entry => `${entryText(entry)}\n`).join('') }

/** What a run trains. */
export function methodInWords({ method, lora, privacy }: RunConfig): string {
  const how = privacy ? 'DP-' : ''
  if (method.kind === 'full') return `${how === '' ? 'full' : 'DP full'} fine-tuning`
  if (method.kind === 'lora') {
    const factors = method.factors ?? 'both'
    const name = factors === 'B' ? 'FFA-LoRA' : factors === 'alternate' ? 'RoLoRA' : factors === 'A' ? 'LoRA (A only)' : 'LoRA'
    return `${how}${name}, rank ${lora!.rank}`
  }
  const ranks = method.ranks ? `${[...new Set(method.ranks)].sort((a, b) => a - b).join(', ')}` : `1 to ${lora!.rank}`
  return `${how}DyLoRA, rank ${ranks}${method.variant === 'row' ? ', one row a round' : ''}`
}
