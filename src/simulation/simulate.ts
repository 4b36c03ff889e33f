/**
 * A whole federated training with simulated clients: the same plan, client, contribution, aggregate and release as in a
 * deployment; only the transport is a function call, and the noise may be seeded so that the run can be repeated.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { hashArray, hashOf } from '../canonical.ts'
import { makePlan, planHash } from '../federated/plan.ts'
import { applyUpdate, serverOptimizer } from '../federated/server-optimizer.ts'
import { readSlice, writeSlice } from '../peft/slice.ts'
import type { Slice } from '../peft/slice.ts'
import { gaussian, nonPrivate, poissonSampled } from '../privacy/accountant/index.ts'
import type { PrivacyEvent } from '../privacy/accountant/index.ts'
import type { LedgerEntry } from '../privacy/ledger/index.ts'
import { adaptiveClip, Aggregate, clipForRank, encode, nextClip, quantileNoise, release, SystemNoise } from '../privacy/mechanism/index.ts'
import type { Released } from '../privacy/mechanism/index.ts'
import { SeededNoise } from '../privacy/mechanism/seeded-noise.ts'
import { random } from '../random.ts'
import { sliceOf } from '../train/classifier.ts'
import type { Classifier } from '../train/classifier.ts'
import { checkOptions, resolvePrivacy } from './options.ts'
import type { Method, ResolvedPrivacy, SimulationOptions } from './options.ts'
import type { Insider } from './insider.ts'
import { openPool } from './pool.ts'
import type { Pool } from './pool.ts'
import { modelBytes, runLedger } from './run-ledger.ts'
import { tokenize } from './tokens.ts'
import type { TokenizedPopulation } from './tokens.ts'

/** Clip norm of a run without privacy: larger than any update that trains well. */
const LOOSE_CLIP = 16

/** What happened in a round. Losses and norms are diagnostics of a simulation: a deployment never sees them. */
export interface RoundReport {
  readonly round: number
  readonly rounds: number
  /** Rank prefix b of the round; undefined in full fine-tuning. */
  readonly rank: number | undefined
  /** L2 norm that updates were clipped to. */
  readonly clip: number
  /** Clients that took part. */
  readonly clients: number
  /** Mean of the clients' mean training losses. */
  readonly loss: number
  /** Median L2 norm of the updates before clipping, and the share of clients that were clipped. */
  readonly updateNorm: number
  readonly clippedShare: number
  /** Share of the evaluated test examples classified right; undefined where the round was not followed by an evaluation. */
  readonly accuracy: number | undefined
  /** ε spent so far by the deployment that is imitated; undefined without privacy. */
  readonly epsilon: number | undefined
  /** Bytes of a client's download and upload. */
  readonly bytesDown: number
  readonly bytesUp: number
  /** Seconds since the first round began. */
  readonly seconds: number
  /** Hashes of the plan, of each contribution in the order of clients, and of the released state. */
  readonly planHash: string
  readonly contributionHashes: readonly string[]
  readonly stateHash: string
  readonly event: PrivacyEvent
}

/** What is left when all rounds are done. */
export interface SimulationResult {
  readonly name: string
  readonly rounds: readonly RoundReport[]
  /** On the whole test set. */
  readonly accuracy: number
  /** Test examples by [true class][predicted class]. */
  readonly confusion: readonly (readonly number[])[]
  readonly privacy: ResolvedPrivacy | undefined
  readonly epsilon: number | undefined
  readonly noise: 'seeded' | 'system' | 'none'
  readonly bytesDown: number
  readonly bytesUp: number
  readonly seconds: number
  readonly threads: number
  /** Trained values: of the adapter and head, or of every weight. */
  readonly classifier: Classifier
  readonly finalHash: string
  /** What was spent, round by round: a line of a ledger each (`entryText`). */
  readonly ledger: readonly LedgerEntry[]
}

/** A simulation under way: iterate over its rounds, then ask for the result. */
export interface Simulation extends AsyncIterable<RoundReport> {
  /** Stops after the round under way; the rounds done so far stand. */
  stop(): void
  /** Runs what is left and gives the result. */
  result(): Promise<SimulationResult>
}

/**
 * Sets a simulation up. Nothing runs until it is iterated or asked for its result.
 *
 * @throws TypeError, RangeError for settings that cannot be
 */
export function simulate(options: SimulationOptions): Simulation {
  return simulateWith(options, {})
}

/** The same with an insider: for audits; not exported from the package. */
export function simulateWith(options: SimulationOptions, insider: Insider): Simulation {
  checkOptions(options)
  let stopped = false
  let outcome: SimulationResult | undefined
  const rounds = run(options, insider, () => stopped, result => { outcome = result })
  return Object.freeze({
    stop() { stopped = true },
    [Symbol.asyncIterator]: () => rounds,
    async result() {
      for await (const _ of rounds) { /* reports are in the result */ }
      if (outcome === undefined) throw new Error('simulation expected to have run, but it was ended from outside; start a new one')
      return outcome
    },
  })
}

async function* run(
  options: SimulationOptions, insider: Insider, stopped: () => boolean, finish: (result: SimulationResult) => void,
): AsyncGenerator<RoundReport> {
  const { host, method, clients, test, rounds, cohort, local, seed = 0, noise = 'seeded', name = method.kind } = options
  const privacy = options.privacy && resolvePrivacy(options.privacy, rounds, cohort)
  let population: TokenizedPopulation | undefined
  const threads = options.threads ?? host.threads?.count ?? 1
  const pool = await openPool(host, options.task, threads, task => {
    population = tokenize(task, clients, test, options.maxTokens ?? 128)
    return population.store
  })
  try {
    const { task } = pool
    const { classifier } = task
    const people = population!
    const { engine } = classifier.encoder
    const publicSeed = hashOf({ purpose: 'public seed', seed })
    const source = noise === 'seeded' ? new SeededNoise(hexToBytes(hashOf({ purpose: 'noise', seed }))) : new SystemNoise(host.random)
    const optimizer = serverOptimizer(options.server)
    const rate = cohort / clients.length
    const capacity = Math.min(clients.length, cohort + Math.ceil(6 * Math.sqrt(cohort)) + 2)
    const evaluateEvery = options.evaluateEvery ?? Math.max(1, Math.round(rounds / 10))
    const probe = random(seed, 'probe').shuffle([...people.test]).slice(0, options.evaluateExamples ?? 200)
    const everything = readsOf(classifier, method)
    const ledger = await runLedger(options.ledger, task.hash, privacy, readSlice(classifier.parameters, everything))
    let clips = privacy?.adaptiveClip && adaptiveClip({ clip: privacy.clip, ...privacy.adaptiveClip })
    const reports: RoundReport[] = []
    const start = host.now()
    for (let round = 1; round <= rounds && !stopped(); round++) {
      const { slice, reads, rank } = roundSlice(classifier, method, publicSeed, round)
      const base = clips?.clip ?? privacy?.clip ?? LOOSE_CLIP
      const clip = privacy?.clipRule === undefined || rank === undefined ? base
        : clipForRank({ clip: base, rule: privacy.clipRule, rank, maxRank: classifier.adapter!.config.rank })
      // the imitated deployment divides its noise by its own cohort
      const noiseMultiplier = privacy ? privacy.noiseMultiplier * cohort / privacy.noiseCohort : 0
      const state = sharedCopy(readSlice(classifier.parameters, reads), pool)
      const plan = makePlan({
        round, task: task.hash, state: hashArray(state, host.sha256), slice, reads, local, publicSeed, clip, cohort, capacity, noiseMultiplier,
        quantile: clips && { noise: quantileNoise(cohort, noiseMultiplier) },
      })
      const event = privacy ? imitatedEvent(privacy, plan.lattice.achievedNoiseMultiplier, cohort) : nonPrivate()
      ledger.authorise(event, round)
      // who takes part is secret in a deployment; here it comes from the seed
      const draw = random(seed, 'sampling', round)
      const chosen = people.clients.map((_, i) => i).filter(i => draw.uniform() < rate && !insider.absent?.has(i)).slice(0, capacity)
      const aggregate = new Aggregate(engine, plan.lattice)
      const planted = insider.updates?.(plan, chosen)
      const jobs = chosen.map((who, client) => ({ kind: 'train' as const, plan, state, examples: people.clients[who], client }))
        .filter(({ client }) => !planted?.has(chosen[client]))
      const losses: number[] = [], norms: number[] = [], hashes: string[] = []
      for await (const { contribution, hash, local: diagnostics } of pool.run(jobs)) {
        aggregate.add(contribution)
        hashes.push(hash)
        losses.push(diagnostics.loss)
        norms.push(diagnostics.norm)
      }
      for (const [client, who] of chosen.entries()) {
        const update = planted?.get(who)
        if (update) aggregate.add(encode(engine, plan.lattice, update, { publicSeed: hexToBytes(publicSeed), round, client }).values)
      }
      // without threads the clients trained in place: back to where the round started
      writeSlice(classifier.parameters, reads, state)
      let released: Released | undefined
      await ledger.spend({ round, planHash: planHash(plan), event, noise: privacy ? noise : 'none' }, () => {
        released = release(engine, aggregate, source, { publicSeed: hexToBytes(publicSeed), round, simulation: true })
        applyUpdate(engine, classifier.parameters, slice, optimizer, released.mean)
        return { model: modelBytes(readSlice(classifier.parameters, everything)) }
      })
      insider.released?.(plan, released!.mean)
      if (clips && released!.within !== null) clips = nextClip(clips, released!.within)
      const due = round % evaluateEvery === 0 && round < rounds
      const accuracy = due ? await accuracyOf(pool, people, method, probe) : undefined
      const report: RoundReport = Object.freeze({
        round, rounds, rank, clip, clients: chosen.length,
        loss: mean(losses), updateNorm: median(norms), clippedShare: norms.filter(norm => norm > clip).length / Math.max(1, norms.length),
        accuracy, epsilon: ledger.epsilon ?? undefined,
        bytesDown: reads.length * 4, bytesUp: Math.ceil(plan.lattice.length * plan.lattice.modulusBits / 8),
        seconds: (host.now() - start) / 1000,
        planHash: planHash(plan), contributionHashes: hashes, stateHash: hashArray(readSlice(classifier.parameters, reads), host.sha256), event,
      })
      reports.push(report)
      yield report
    }
    const { predicted } = await evaluateAll(pool, method, people.test)
    insider.finished?.(pool.task, people)
    const confusion = classifier.labels.map(() => classifier.labels.map(() => 0))
    people.test.forEach((e, i) => { confusion[people.store.targets[e]][predicted[i]]++ })
    finish(Object.freeze({
      name, rounds: reports, confusion, privacy,
      accuracy: confusion.reduce((sum, row, i) => sum + row[i], 0) / people.test.length,
      epsilon: ledger.epsilon ?? undefined,
      noise: privacy ? noise : 'none',
      bytesDown: mean(reports.map(report => report.bytesDown)), bytesUp: mean(reports.map(report => report.bytesUp)),
      seconds: (host.now() - start) / 1000, threads: pool.threads,
      classifier, finalHash: ledger.model, ledger: ledger.entries,
    }))
  } finally {
    pool.close()
  }
}

/** The slice of a round, and what its forward pass reads. */
function roundSlice(
  classifier: Classifier, method: Method, publicSeed: string, round: number,
): { slice: Slice, reads: Slice, rank: number | undefined } {
  if (method.kind === 'full') {
    const slice = sliceOf(classifier)
    return { slice, reads: slice, rank: undefined }
  }
  const most = classifier.adapter!.config.rank
  if (method.kind === 'lora') {
    const factors = method.factors === 'alternate' ? (round % 2 === 1 ? 'B' : 'A') : method.factors ?? 'both'
    return { slice: sliceOf(classifier, { rank: most, factors }), reads: sliceOf(classifier, { rank: most }), rank: most }
  }
  const draw = random(publicSeed, 'rank', round)
  const rank = method.ranks ? method.ranks[draw.below(method.ranks.length)] : 1 + draw.below(most)
  return {
    slice: sliceOf(classifier, { rank, variant: method.variant ?? 'prefix', factors: method.factors ?? 'both' }),
    reads: sliceOf(classifier, { rank }), rank,
  }
}

/** All trainable values at full rank. */
function readsOf(classifier: Classifier, method: Method): Slice {
  return method.kind === 'full' ? sliceOf(classifier) : sliceOf(classifier, { rank: classifier.adapter!.config.rank })
}

/** The event of the deployment that is imitated: its noise on its own cohort, its sampling from its own population. */
function imitatedEvent({ samplingRate, noiseCohort }: ResolvedPrivacy, achieved: number, cohort: number): PrivacyEvent {
  return poissonSampled({ samplingRate, event: gaussian({ noiseMultiplier: achieved * noiseCohort / cohort }) })
}

async function evaluateAll(pool: Pool, method: Method, examples: readonly number[]): Promise<{ predicted: Int32Array }> {
  const { classifier } = pool.task
  const reads = readsOf(classifier, method)
  const state = sharedCopy(readSlice(classifier.parameters, reads), pool)
  const chunk = Math.max(8, Math.ceil(examples.length / (pool.threads * 4)))
  const jobs = Array.from({ length: Math.ceil(examples.length / chunk) }, (_, i) => ({
    kind: 'evaluate' as const, reads, state, batchTokens: 1024, examples: examples.slice(i * chunk, (i + 1) * chunk),
  }))
  const predicted = new Int32Array(examples.length)
  let at = 0
  for await (const part of pool.run(jobs)) {
    predicted.set(part.predicted, at)
    at += part.predicted.length
  }
  return { predicted }
}

async function accuracyOf(pool: Pool, people: TokenizedPopulation, method: Method, examples: readonly number[]): Promise<number> {
  const { predicted } = await evaluateAll(pool, method, examples)
  return examples.filter((e, i) => people.store.targets[e] === predicted[i]).length / examples.length
}

/** Values that are sent to several threads lie in memory that they share. */
function sharedCopy(values: Float32Array, pool: Pool): Float32Array {
  if (pool.threads === 1) return values
  const out = new Float32Array(new SharedArrayBuffer(values.byteLength))
  out.set(values)
  return out
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function median(values: readonly number[]): number {
  return values.length === 0 ? 0 : [...values].sort((a, b) => a - b)[values.length >> 1]
}
