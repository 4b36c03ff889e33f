/**
 * A whole federated training with simulated clients: the same plan, client, contribution, aggregate and release as in a
 * deployment; only the transport is a function call, and the noise may be seeded so that the run can be repeated.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { hashArray } from '../canonical.ts'
import type { ClientResult } from '../federated/client.ts'
import { planHash } from '../federated/plan.ts'
import { applyUpdate, serverOptimizer } from '../federated/server-optimizer.ts'
import { readSlice, writeSlice } from '../peft/slice.ts'
import type { PrivacyEvent } from '../privacy/accountant/index.ts'
import type { LedgerEntry } from '../privacy/ledger/index.ts'
import { Aggregate, encode, nextClip, release, SystemNoise } from '../privacy/mechanism/index.ts'
import type { Released } from '../privacy/mechanism/index.ts'
import { SeededNoise } from '../privacy/mechanism/seeded-noise.ts'
import { sliceOf } from '../train/classifier.ts'
import type { Classifier } from '../train/classifier.ts'
import { diagnosticsOf, mean } from './diagnostics.ts'
import { accuracyOf, confusionOf, probeOf, rightShare, sharedCopy } from './evaluate.ts'
import { checkOptions, resolvePrivacy } from './options.ts'
import type { ResolvedPrivacy, SimulationOptions } from './options.ts'
import type { Insider } from './insider.ts'
import { openPool } from './pool.ts'
import { drawClients, eventOfRound, firstClip, noiseKeyOf, planRound, roundSlice } from './round.ts'
import type { RoundSettings } from './round.ts'
import { modelBytes, runLedger } from './run-ledger.ts'
import { tokenize } from './tokens.ts'
import type { TokenizedPopulation } from './tokens.ts'

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
  const { host, method, clients, test, rounds, cohort, local, recorder, seed = 0, noise = 'seeded', maxTokens = 128, name = method.kind } = options
  const privacy = options.privacy && resolvePrivacy(options.privacy, rounds, cohort)
  let population: TokenizedPopulation | undefined
  const threads = options.threads ?? host.threads?.count ?? 1
  const pool = await openPool(host, options.task, threads, task => {
    population = tokenize(task, clients, test, maxTokens)
    return population.store
  })
  try {
    const { task } = pool
    const { classifier } = task
    const people = population!
    const { engine } = classifier.encoder
    // what is read in the last evaluation: all trainable values at full rank
    const whole = method.kind === 'full' ? sliceOf(classifier) : sliceOf(classifier, { rank: classifier.adapter!.config.rank })
    const settings: RoundSettings = { method, cohort, population: clients.length, local, privacy, seed, task: task.hash, whole }
    const source = noise === 'seeded' ? new SeededNoise(noiseKeyOf(seed)) : new SystemNoise(host.random)
    const optimizer = serverOptimizer(options.server)
    const { evaluateEvery = Math.max(1, Math.round(rounds / 10)), evaluateExamples = 200 } = options
    const probe = probeOf(seed, people.test, evaluateExamples)
    const values = () => readSlice(classifier.parameters, whole)
    const ledger = await runLedger(options.ledger, task.hash, privacy, values())
    await recorder?.start({
      options, privacy, seed, noise: privacy ? noise : 'none', maxTokens, evaluateEvery, evaluateExamples, task, whole, values: values(), opening: ledger.entries[0],
    })
    let clips = firstClip(privacy)
    const reports: RoundReport[] = []
    const start = host.now()
    for (let round = 1; round <= rounds && !stopped(); round++) {
      const where = roundSlice(settings, round)
      const { slice, reads, rank } = where
      const state = sharedCopy(readSlice(classifier.parameters, reads), pool)
      const plan = planRound(settings, where, round, clips, hashArray(state, host.sha256))
      const publicSeed = hexToBytes(plan.publicSeed)
      const { clip } = plan.lattice
      const event = eventOfRound(settings, plan)
      ledger.authorise(event, round)
      // who takes part is secret in a deployment; here it comes from the seed
      const chosen = drawClients(settings, plan, insider.absent)
      const aggregate = new Aggregate(engine, plan.lattice)
      const planted = insider.updates?.(plan, chosen)
      const jobs = chosen.map((who, client) => ({ kind: 'train' as const, plan, state, examples: people.clients[who], client }))
        .filter(({ client }) => !planted?.has(chosen[client]))
      const locals: ClientResult['local'][] = [], hashes: string[] = []
      for await (const { contribution, hash, local } of pool.run(jobs)) {
        aggregate.add(contribution)
        recorder?.contribution(plan, hashes.length, contribution)
        hashes.push(hash)
        locals.push(local)
      }
      for (const [client, who] of chosen.entries()) {
        const update = planted?.get(who)
        if (update) aggregate.add(encode(engine, plan.lattice, update, { publicSeed, round, client }).values)
      }
      // without threads the clients trained in place: back to where the round started
      writeSlice(classifier.parameters, reads, state)
      let released: Released | undefined
      const entry = await ledger.spend({ round, planHash: planHash(plan), event, noise: privacy ? noise : 'none' }, () => {
        released = release(engine, aggregate, source, { publicSeed, round, simulation: true })
        applyUpdate(engine, classifier.parameters, slice, optimizer, released.mean)
        return { model: modelBytes(values()) }
      })
      insider.released?.(plan, released!.mean)
      if (clips && released!.within !== null) clips = nextClip(clips, released!.within)
      const due = round % evaluateEvery === 0 && round < rounds
      const report: RoundReport = Object.freeze({
        round, rounds, rank, clip, clients: chosen.length,
        ...diagnosticsOf(locals, clip),
        accuracy: due ? await accuracyOf(pool, people.store, whole, probe) : undefined, epsilon: ledger.epsilon ?? undefined,
        bytesDown: reads.length * 4, bytesUp: Math.ceil(plan.lattice.length * plan.lattice.modulusBits / 8),
        seconds: (host.now() - start) / 1000,
        planHash: planHash(plan), contributionHashes: hashes, stateHash: hashArray(readSlice(classifier.parameters, reads), host.sha256), event,
      })
      recorder?.round({ report, plan, clients: chosen, released: released!, values: values(), entry })
      reports.push(report)
      yield report
    }
    const confusion = await confusionOf(pool, people.store, whole, people.test)
    const accuracy = rightShare(confusion)
    insider.finished?.(pool.task, people)
    recorder?.end({ accuracy, confusion, finalHash: ledger.model, head: ledger.head })
    finish(Object.freeze({
      name, rounds: reports, confusion, privacy, accuracy,
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
