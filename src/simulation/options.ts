/**
 * Settings of a simulation, checked before anything is loaded.
 * @module
 */
import { aNumber, anInteger, anOptions, aString, oneOf, show } from '../assert.ts'
import type { Client, Example } from '../data/example.ts'
import { aLocalTraining } from '../federated/plan.ts'
import type { LocalTraining } from '../federated/plan.ts'
import type { ServerOptimizer } from '../federated/server-optimizer.ts'
import type { Host } from '../host.ts'
import type { LoraConfig } from '../peft/lora.ts'
import { epsilonOf, calibrateNoise } from '../privacy/accountant/index.ts'
import type { Adjacency, PrivacyUnit } from '../privacy/accountant/index.ts'
import type { LedgerStore } from '../privacy/ledger/index.ts'
import type { ClipRule } from '../privacy/mechanism/index.ts'
import type { Recorder } from './recorder.ts'
import type { TaskDescription } from './task.ts'

/** Which slice a round trains. */
export type Method =
  /** The whole adapter, every round. */
  | { readonly kind: 'lora', readonly factors?: 'both' | 'A' | 'B' | 'alternate' }
  /** A rank prefix, drawn for each round from public randomness: uniform on 1 .. R, or on a list. */
  | { readonly kind: 'dylora', readonly ranks?: readonly number[], readonly variant?: 'prefix' | 'row', readonly factors?: 'both' | 'B' }
  /** Every weight; the task has no adapter. */
  | { readonly kind: 'full' }

/** The promise that a deployment would make; a simulation makes none. */
export interface PrivacyOptions {
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
  /** The noise is calibrated to it; or give `noiseMultiplier`. */
  readonly epsilon?: number
  readonly noiseMultiplier?: number
  readonly delta: number
  /** Clients that could take part in the deployment that is imitated. */
  readonly population: number
  /** Cohort of that deployment: its noise on the mean is imitated by a smaller simulated cohort. Default: `cohort`. */
  readonly noiseCohort?: number
  /** L2 norm that every client's whole update is clipped to. */
  readonly clip: number
  /** How the clip norm depends on the rank; default `flat`. */
  readonly clipRule?: ClipRule
  /** The clip norm follows a quantile of the updates' norms, from `clip` on; the same noise pays for it. */
  readonly adaptiveClip?: { readonly quantile?: number, readonly rate?: number }
}

/** Everything that a simulation needs. */
export interface SimulationOptions {
  readonly host: Host
  /** E.g. `dp-dylora`. */
  readonly name?: string
  readonly task: TaskDescription
  readonly method: Method
  readonly clients: readonly Client[]
  /** Held out. */
  readonly test: readonly Example[]
  readonly rounds: number
  /** Expected clients a round. */
  readonly cohort: number
  readonly local: LocalTraining
  readonly server: ServerOptimizer
  /** None: no clipping worth the name and no noise. */
  readonly privacy?: PrivacyOptions
  /** Longest text in tokens; longer ones are cut. Default 128, at most what the model takes. */
  readonly maxTokens?: number
  /** Rounds between evaluations on part of the test set; default: a tenth of the rounds. */
  readonly evaluateEvery?: number
  /** Test examples in such an evaluation; default 200. The last evaluation has all. */
  readonly evaluateExamples?: number
  readonly seed?: number
  /** `seeded` (default): the run can be repeated bit for bit, and is marked. `system`: fresh randomness. */
  readonly noise?: 'seeded' | 'system'
  readonly threads?: number
  /** Where the ledger is kept; default: in memory. It has to be empty. */
  readonly ledger?: LedgerStore
  /** Told everything that happens, for a transcript (`sotto/replay`). */
  readonly recorder?: Recorder
}

const OPTIONS = ['host', 'name', 'task', 'method', 'clients', 'test', 'rounds', 'cohort', 'local', 'server', 'privacy',
  'maxTokens', 'evaluateEvery', 'evaluateExamples', 'seed', 'noise', 'threads', 'ledger', 'recorder'] as const

/** The noise of a run. */
export interface ResolvedPrivacy extends PrivacyOptions {
  readonly noiseCohort: number
  /** Noise multiplier of the deployment: standard deviation on the sum, over the clip norm. */
  readonly noiseMultiplier: number
  readonly samplingRate: number
  /** ε of the planned rounds. */
  readonly plannedEpsilon: number
}

/** Checks all settings. @throws TypeError, RangeError naming the setting, what was expected and what came */
export function checkOptions(options: SimulationOptions): void {
  anOptions('simulate', options, OPTIONS)
  const { method, clients, test, rounds, cohort, local, server, task, privacy } = options
  anOptions('task', task, ['model', 'labels', 'lora', 'format', 'embeddings', 'pooling'])
  aString('task.model', task.model)
  oneOf('method.kind', method.kind, ['lora', 'dylora', 'full'])
  if ((method.kind === 'full') !== (task.lora === undefined)) {
    throw new RangeError(`"task.lora" expected ${method.kind === 'full' ? 'none for full fine-tuning' : `an adapter for ${method.kind}`}, ` +
      `got ${task.lora === undefined ? 'none' : 'one'}`)
  }
  if (method.kind === 'dylora') checkRanks(method.ranks, task.lora!)
  anInteger('rounds', rounds, 1, 1e6)
  if (!Array.isArray(clients) || clients.length === 0) throw new RangeError(`"clients" expected at least one client, got ${show(clients)}`)
  anInteger('cohort', cohort, 1, clients.length)
  if (!Array.isArray(test) || test.length === 0) throw new RangeError(`"test" expected at least one example, got ${show(test)}; hold some out`)
  checkExamples(clients, test, task.labels)
  aLocalTraining(local)
  oneOf('server.optimizer', server.optimizer, ['sgd', 'adam'])
  if (privacy) checkPrivacy(privacy, cohort)
  if (options.noise !== undefined) oneOf('noise', options.noise, ['seeded', 'system'])
  for (const key of ['maxTokens', 'evaluateEvery', 'evaluateExamples', 'threads'] as const) {
    if (options[key] !== undefined) anInteger(key, options[key], 1)
  }
  if (options.seed !== undefined) anInteger('seed', options.seed)
}

function checkRanks(ranks: readonly number[] | undefined, { rank }: LoraConfig): void {
  if (ranks === undefined) return
  if (!Array.isArray(ranks) || ranks.length === 0) throw new RangeError(`"method.ranks" expected at least one rank, got ${show(ranks)}`)
  ranks.forEach((b, i) => anInteger(`method.ranks[${i}]`, b, 1, rank))
}

function checkExamples(clients: readonly Client[], test: readonly Example[], labels: readonly string[]): void {
  const known = new Set(labels)
  const ids = new Set<string>()
  const check = (title: string, { text, label }: Example) => {
    if (typeof text !== 'string' || text.trim() === '') throw new RangeError(`"${title}.text" expected some text, got ${show(text)}; leave it out`)
    if (!known.has(label)) throw new RangeError(`"${title}.label" expected one of ${labels.map(show).join(', ')}, got ${show(label)}`)
  }
  for (const { id, examples } of clients) {
    if (ids.has(id)) throw new RangeError(`"clients" expected different ids, got ${show(id)} twice`)
    ids.add(id)
    if (examples.length === 0) throw new RangeError(`client ${show(id)} expected at least one example, got none; leave the client out`)
    examples.forEach((example, i) => check(`clients[${id}][${i}]`, example))
  }
  test.forEach((example, i) => check(`test[${i}]`, example))
}

function checkPrivacy(privacy: PrivacyOptions, cohort: number): void {
  anOptions('privacy', privacy, ['unit', 'adjacency', 'epsilon', 'noiseMultiplier', 'delta', 'population', 'noiseCohort', 'clip', 'clipRule', 'adaptiveClip'])
  if (privacy.adaptiveClip) anOptions('privacy.adaptiveClip', privacy.adaptiveClip, ['quantile', 'rate'])
  if ((privacy.epsilon === undefined) === (privacy.noiseMultiplier === undefined)) {
    throw new RangeError('"privacy" expected either epsilon or noiseMultiplier, got ' + (privacy.epsilon === undefined ? 'neither' : 'both'))
  }
  if (privacy.epsilon !== undefined) aNumber('privacy.epsilon', privacy.epsilon, 1e-6, 1e6)
  aNumber('privacy.delta', privacy.delta, 1e-12, 1)
  anInteger('privacy.population', privacy.population, 1)
  anInteger('privacy.noiseCohort', privacy.noiseCohort ?? cohort, cohort, privacy.population)
  aNumber('privacy.clip', privacy.clip, 1e-9, 1e9)
}

/** Finds the noise that keeps the promise, or what the noise given costs. */
export function resolvePrivacy(privacy: PrivacyOptions, rounds: number, cohort: number): ResolvedPrivacy {
  const { unit, adjacency, delta, population, epsilon } = privacy
  const noiseCohort = privacy.noiseCohort ?? cohort
  const samplingRate = noiseCohort / population
  const noiseMultiplier = privacy.noiseMultiplier ??
    calibrateNoise({ unit, adjacency, delta, rounds, samplingRate, tolerance: 1e-5,
      // a hair less: the ledger asks again after every round, on a grid of its own, and must not refuse the last
      epsilon: epsilon! * (1 - 1e-5) })
  return Object.freeze({
    ...privacy, noiseCohort, samplingRate, noiseMultiplier,
    plannedEpsilon: epsilonOf({ unit, adjacency, delta, rounds, samplingRate, noiseMultiplier }),
  })
}
