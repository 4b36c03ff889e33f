/**
 * Executes the rounds of a transcript again, from the values that the run started from, and says where they part.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { hashArray } from '../canonical.ts'
import type { ClientResult } from '../federated/client.ts'
import type { Plan } from '../federated/plan.ts'
import { applyUpdate, serverOptimizer } from '../federated/server-optimizer.ts'
import type { Host } from '../host.ts'
import { readSlice, writeSlice } from '../peft/slice.ts'
import type { Parameters } from '../peft/slice.ts'
import type { LedgerEntry } from '../privacy/ledger/index.ts'
import { Aggregate, decodeRelease, nextClip, release } from '../privacy/mechanism/index.ts'
import type { AdaptiveClip } from '../privacy/mechanism/index.ts'
import { SeededNoise } from '../privacy/mechanism/seeded-noise.ts'
import { diagnosticsOf } from '../simulation/diagnostics.ts'
import { accuracyOf, probeOf, sharedCopy } from '../simulation/evaluate.ts'
import type { Pool } from '../simulation/pool.ts'
import { firstClip, noiseKeyOf, planRound, roundSlice } from '../simulation/round.ts'
import type { RoundSettings } from '../simulation/round.ts'
import type { TokenizedPopulation } from '../simulation/tokens.ts'
import type { Engine } from '../wasm/engine.ts'
import type { ArrayReader } from './arrays.ts'
import { plainDifference } from './compare.ts'
import { hashTensors } from './digests.ts'
import type { Difference, Findings } from './findings.ts'
import type { HeaderLine, RoundLine } from './format.ts'
import { firstDifference, marksOf, placeOf, tensorOfMarks } from './locate.ts'
import { noiseProblem } from './noise-size.ts'
import { PublicPart } from './public-part.ts'

/** What a replay works on. */
export interface Ground {
  readonly host: Host
  readonly header: HeaderLine
  readonly settings: RoundSettings
  readonly engine: Engine
  /** Trained values, as the run started from them. */
  readonly parameters: Parameters
  /** Whether the parameters are those that the run started from: else nothing can be trained or followed. */
  readonly started: boolean
  /** Contributions and releases as they were recorded; undefined where only their hashes were. */
  readonly arrays: ArrayReader | undefined
  /** To train the clients again. */
  readonly training: { readonly pool: Pool, readonly people: TokenizedPopulation } | undefined
  /** Entries of the ledger by their number, as far as they can be read; undefined where there is none. */
  readonly ledger: readonly (LedgerEntry | undefined)[] | undefined
}

/** Which clients of a round are trained again. */
export type Trained = 'all' | 'none' | { readonly client: number }

/** Rounds executed again, in their order. */
export class Replay {
  #ground: Ground
  #findings: Findings
  #optimizer: ReturnType<typeof serverOptimizer>
  #seeded: SeededNoise
  #clips: AdaptiveClip | undefined
  #public: PublicPart
  #follows: boolean

  constructor(ground: Ground, findings: Findings) {
    const { header, settings, arrays, training, started } = ground
    this.#ground = ground
    this.#findings = findings
    this.#public = new PublicPart(ground, findings)
    this.#optimizer = serverOptimizer(header.server)
    this.#seeded = new SeededNoise(noiseKeyOf(header.seed))
    this.#clips = firstClip(settings.privacy)
    // fresh noise cannot be drawn again: then only recorded releases lead on
    this.#follows = started && (arrays !== undefined || (training !== undefined && header.noise !== 'system'))
  }

  /** Whether sums, releases and states can be computed. */
  get follows(): boolean { return this.#follows }

  /** One round. @returns false where it differs: what comes after it would differ too */
  async round(line: RoundLine, trained: Trained): Promise<boolean> {
    const { settings, parameters, host, started } = this.#ground
    const before = this.#findings.differences.length
    const { round } = line
    const where = roundSlice(settings, round)
    const state = readSlice(parameters, where.reads)
    const known = started && (this.#follows || round === 1)
    const plan = planRound(settings, where, round, this.#clips, known ? hashArray(state, host.sha256) : line.plan.state)
    this.#public.check(line, plan, where.rank, this.#clips === undefined || this.#follows || round === 1)
    const fine = () => this.#findings.differences.length === before
    if (!fine()) return false
    const aggregate = new Aggregate(this.#ground.engine, plan.lattice)
    await this.#contributions(line, plan, state, aggregate, known ? trained : 'none')
    // a spot audit has no sum to go on from
    if (!fine() || !this.#follows || typeof trained === 'object') return fine()
    const mean = this.#release(line, plan, aggregate)
    if (mean === undefined) return false
    applyUpdate(this.#ground.engine, parameters, plan.slice, this.#optimizer, mean)
    this.#state(line, plan)
    if (trained === 'all') await this.#accuracy(line)
    return fine()
  }

  /** Recorded contributions against their hashes; those of clients that are trained again, against theirs. */
  async #contributions(line: RoundLine, plan: Plan, state: Float32Array, aggregate: Aggregate, trained: Trained): Promise<void> {
    const { training, arrays, parameters, settings } = this.#ground
    const results = training && trained !== 'none' ? this.#train(training, line, plan, state, trained) : undefined
    const locals: ClientResult['local'][] = []
    let i = 0
    try {
      for (const client of line.clients) {
        const recorded = arrays && this.#recorded(line, plan, i, arrays)
        if (arrays && recorded === undefined) return
        let again: ClientResult | undefined
        if (results && (trained === 'all' || (typeof trained === 'object' && trained.client === client))) {
          again = (await results.next()).value as ClientResult
          locals.push(again.local)
          if (!this.#trainedAlike(line, plan, i, again, recorded)) return
        }
        const values = recorded ?? again?.contribution
        if (values) this.#add(line, i, values, aggregate)
        i++
      }
      if (trained === 'all' && results) this.#metrics(line, plan, locals)
    } finally {
      await results?.return(undefined)
      // without threads the clients trained in place
      if (results) writeSlice(parameters, roundSlice(settings, line.round).reads, state)
    }
  }

  #train({ pool, people }: NonNullable<Ground['training']>, line: RoundLine, plan: Plan, state: Float32Array, trained: Trained) {
    const shared = sharedCopy(state, pool)
    const jobs = line.clients.map((who, client) => ({ kind: 'train' as const, plan, state: shared, examples: people.clients[who] ?? [], client }))
    return pool.run(typeof trained === 'object' ? jobs.filter((_, i) => line.clients[i] === trained.client) : jobs)
  }

  #recorded(line: RoundLine, plan: Plan, i: number, arrays: ArrayReader): Int32Array | undefined {
    const { round } = line
    const client = line.clients[i]
    let values: Int32Array
    try {
      values = arrays.integers(plan.lattice.length)
    } catch (error) {
      this.#findings.differs(this.#at(round, 'contributions', `contribution of client ${client} cannot be read: ${(error as Error).message}`, { client }))
      return undefined
    }
    const alike = hashArray(values, this.#ground.host.sha256) === line.contributions[i]
    const marks = marksOf(plan.slice, values)
    const tensor = alike ? undefined : tensorOfMarks(plan.slice, marks, line.marks[i])
    if (alike) this.#findings.require(marks === line.marks[i], this.#at(round, 'contributions', `marks of the contribution of client ${client} expected ${marks}, got others`, { client }))
    const ok = this.#findings.expect(alike, this.#at(round, 'contributions',
      `contribution of client ${client} expected integers of hash ${short(line.contributions[i])}, got others`, { client, tensor }))
    return ok ? values : undefined
  }

  #trainedAlike(line: RoundLine, plan: Plan, i: number, again: ClientResult, recorded: Int32Array | undefined): boolean {
    const client = line.clients[i]
    if (again.hash === line.contributions[i]) {
      this.#findings.equal('training')
      return true
    }
    const index = recorded && firstDifference(again.contribution, recorded)
    const place = index === undefined ? { tensor: tensorOfMarks(plan.slice, marksOf(plan.slice, again.contribution), line.marks[i]) } : placeOf(plan.slice, index)
    const what = index === undefined ? `integers of hash ${short(again.hash)}, got hash ${short(line.contributions[i])}`
      : `${again.contribution[index]}, got ${recorded![index]} in the transcript`
    this.#findings.differs(this.#at(line.round, 'training', `client ${client}, trained again, expected ${what}`, { client, ...place }))
    return false
  }

  #add({ round, clients }: RoundLine, i: number, values: Int32Array, aggregate: Aggregate): void {
    try {
      aggregate.add(values)
    } catch (error) {
      this.#findings.differs(this.#at(round, 'contributions', `contribution of client ${clients[i]} was to be refused: ${(error as Error).message}`, { client: clients[i] }))
    }
  }

  #metrics({ round, metrics: { accuracy: _, ...metrics } }: RoundLine, plan: Plan, locals: readonly ClientResult['local'][]): void {
    const wrong = plainDifference(diagnosticsOf(locals, plan.lattice.clip), metrics)
    this.#findings.require(wrong === undefined, this.#at(round, 'training', `metrics.${wrong?.path} expected ${wrong?.expected}, got ${wrong?.got}`))
  }

  /** The evaluation after a round, where one was due. */
  async #accuracy({ round, metrics }: RoundLine): Promise<void> {
    const { training, settings: { seed, whole }, header: { evaluateEvery, evaluateExamples, rounds } } = this.#ground
    const due = round % evaluateEvery === 0 && round < rounds
    if (!training || (!due && metrics.accuracy === undefined)) return
    const { pool, people: { store, test } } = training
    const accuracy = due ? await accuracyOf(pool, store, whole, probeOf(seed, test, evaluateExamples)) : undefined
    this.#findings.expect(metrics.accuracy === accuracy, this.#at(round, 'accuracy', `metrics.accuracy expected ${accuracy ?? 'none'}, got ${metrics.accuracy ?? 'none'}`))
  }

  /** The noised sum: drawn again where it can be, else as recorded. @returns the mean update; undefined where it differs */
  #release(line: RoundLine, plan: Plan, aggregate: Aggregate): Float32Array | undefined {
    const { engine, header, arrays } = this.#ground
    const { round } = line
    const options = { publicSeed: hexToBytes(plan.publicSeed), round }
    const again = header.noise === 'system' ? undefined : release(engine, aggregate, this.#seeded, { ...options, simulation: true })
    let recorded: Int32Array | undefined
    try {
      recorded = arrays?.integers(plan.lattice.length)
    } catch (error) {
      this.#findings.differs(this.#at(round, 'releases', `release cannot be read: ${(error as Error).message}`))
      return undefined
    }
    const noised = again?.noised ?? recorded!
    const native = this.#ground.host.sha256
    for (const values of new Set([noised, recorded ?? noised])) {
      if (hashArray(values, native) === line.release.hash) continue
      const index = again && recorded && firstDifference(again.noised, recorded)
      const place = index === undefined ? { tensor: tensorOfMarks(plan.slice, marksOf(plan.slice, values), line.release.marks) } : placeOf(plan.slice, index)
      this.#findings.differs(this.#at(round, 'releases', index === undefined ? `release expected integers of hash ${short(line.release.hash)}, got others`
        : `release expected ${again!.noised[index]}, got ${recorded![index]} in the transcript`, place))
      return undefined
    }
    this.#findings.require(marksOf(plan.slice, noised) === line.release.marks, this.#at(round, 'releases', 'marks of the release expected those of its integers, got others'))
    if (again === undefined && !this.#plausible(line, plan, noised, aggregate)) return undefined
    this.#findings.equal('releases')
    const decoded = again ?? decodeRelease(engine, plan.lattice, noised, options)
    if (this.#clips && decoded.within !== null) this.#clips = nextClip(this.#clips, decoded.within)
    return decoded.mean
  }

  /** What a release says of fresh noise: its difference to the sum is of the right size. */
  #plausible({ round }: RoundLine, { lattice, slice }: Plan, noised: Int32Array, aggregate: Aggregate): boolean {
    const spare = 32 - lattice.modulusBits
    const outside = noised.findIndex(value => (value << spare) >> spare !== value)
    if (outside !== -1) {
      this.#findings.differs(this.#at(round, 'releases', `release expected integers of ${lattice.modulusBits} bits, got ${noised[outside]}`, placeOf(slice, outside)))
      return false
    }
    const sum = aggregate.take()
    const problem = noiseProblem(noised.map((value, i) => ((value - sum[i]) << spare) >> spare), lattice.sigmaInt)
    sum.fill(0)
    this.#findings.require(problem === undefined,
      this.#at(round, 'noise', problem?.message ?? '', problem?.index === undefined ? {} : placeOf(slice, problem.index)))
    return problem === undefined
  }

  #state(line: RoundLine, { slice }: Plan): void {
    const { settings: { whole }, parameters, host } = this.#ground
    const values = readSlice(parameters, whole)
    const moved = new Set(slice.parts.map(({ tensor }) => tensor))
    const tensors = hashTensors(whole, values, host.sha256, moved)
    const wrong = [...moved].find(name => tensors[name] !== line.tensors[name])
    this.#findings.expect(wrong === undefined && Object.keys(line.tensors).length === moved.size && hashArray(values, host.sha256) === line.state,
      this.#at(line.round, 'states', `state expected the values that follow from the release, got others`, { tensor: wrong }))
  }

  #at(round: number, check: Difference['check'], message: string, where: Partial<Difference> = {}): Difference { return { check, round, ...where, message } }
}

function short(hash: string | undefined): string { return `${String(hash).slice(0, 12)}…` }
