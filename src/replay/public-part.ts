/**
 * What can be checked of a round without its arrays: plan, participants, what was spent, and the commitment to the noise.
 * @module
 */
import { planHash } from '../federated/plan.ts'
import type { Plan } from '../federated/plan.ts'
import { commitmentOf } from '../privacy/mechanism/index.ts'
import { drawClients, eventOfRound, noiseKeyOf } from '../simulation/round.ts'
import { orderedDifference, samePlain } from './compare.ts'
import type { Difference, Findings } from './findings.ts'
import type { RoundLine } from './format.ts'
import type { Ground } from './replay.ts'

/** Fields of a plan that others follow from. */
const CAUSES = ['version', 'numerics', 'round', 'task', 'publicSeed', 'state', 'local', 'slice']

/** Checks of what everybody may see, and of who took part. */
export class PublicPart {
  #ground: Pick<Ground, 'header' | 'settings' | 'ledger'>
  #findings: Findings
  #commitments = new Set<string>()

  constructor(ground: Pick<Ground, 'header' | 'settings' | 'ledger'>, findings: Findings) {
    this.#ground = ground
    this.#findings = findings
  }

  /**
   * Compares a round's line with the plan that follows from what came before.
   *
   * @param clipKnown - false where the clip norm follows releases that are not there
   */
  check(line: RoundLine, plan: Plan, rank: number | undefined, clipKnown: boolean): void {
    this.#plan(line, plan, rank, clipKnown)
    this.#clients(line, plan)
    this.#ledger(line, plan, clipKnown)
    this.#commitment(line, plan)
  }

  #plan(line: RoundLine, plan: Plan, rank: number | undefined, clipKnown: boolean): void {
    const { round } = line
    // a clip norm that follows the releases cannot be known without them
    if (!clipKnown) {
      this.#findings.left('plans', 'from round 2 on the clip norm follows releases, which are not in the transcript')
    } else {
      const field = orderedDifference(JSON.parse(JSON.stringify(plan)) as object, line.plan, CAUSES)
      this.#findings.expect(field === undefined, at(round, 'plans', `plan.${field?.path} expected ${field?.expected}, got ${field?.got}`))
    }
    this.#findings.require(planHash(line.plan) === line.planHash, at(round, 'plans', 'planHash expected the hash of the plan, got another'))
    this.#findings.require(line.rank === (rank ?? null), at(round, 'plans', `rank expected ${rank ?? null}, got ${line.rank}`))
  }

  #clients({ round, clients, contributions, marks }: RoundLine, plan: Plan): void {
    const drawn = drawClients(this.#ground.settings, plan)
    let place = 0
    while (place < drawn.length && drawn[place] === clients[place]) place++
    const shown = (client: number | undefined) => client === undefined ? 'none' : `client ${client}`
    this.#findings.expect(place === drawn.length && place === clients.length, at(round, 'clients',
      `participant ${place + 1} expected ${shown(drawn[place])}, as the seed draws, got ${shown(clients[place])}`, { client: drawn[place] ?? clients[place] }))
    this.#findings.require(contributions.length === clients.length && marks.length === clients.length,
      at(round, 'clients', `expected a contribution of each of ${clients.length} clients, got ${contributions.length}`))
  }

  #ledger(line: RoundLine, plan: Plan, clipKnown: boolean): void {
    const { ledger, settings, header } = this.#ground
    const { round } = line
    const event = eventOfRound(settings, plan)
    this.#findings.require(samePlain(event, line.event) || !clipKnown,
      at(round, 'ledger', 'event expected that of the plan, got another'))
    if (ledger === undefined) return
    const entry = ledger[2 * round]
    if (entry === undefined) return
    const wrong = entry.kind !== 'release' ? 'kind' : entry.hash !== line.ledger ? 'hash' : entry.round !== round ? 'round'
      : entry.planHash !== line.planHash ? 'planHash' : !samePlain(entry.event, line.event) ? 'event' : entry.noise !== header.noise ? 'noise'
        : entry.modelAfter !== line.state ? 'modelAfter' : entry.epsilon !== line.epsilon ? 'epsilon' : undefined
    this.#findings.require(wrong === undefined, at(round, 'ledger', `entry ${2 * round} of the ledger expected the ${wrong} of the transcript, got another`))
  }

  #commitment({ round, noise }: RoundLine, plan: Plan): void {
    const { noise: source, seed } = this.#ground.header
    const wrong = (message: string) => at(round, 'noise', message)
    if (plan.lattice.sigmaInt === 0 || source === 'none') {
      this.#findings.require(noise === null, wrong('expected no commitment, since no noise was added, got one'))
    } else if (source === 'seeded') {
      this.#findings.expect(noise === commitmentOf(noiseKeyOf(seed)), wrong('expected the commitment to the key of the seed, got another'))
    } else {
      this.#findings.expect(noise !== null && !this.#commitments.has(noise), wrong('expected a commitment to a key of its own, got none, or one seen before: the same noise twice'))
      if (noise !== null) this.#commitments.add(noise)
    }
  }
}

function at(round: number, check: Difference['check'], message: string, where: Partial<Difference> = {}): Difference { return { check, round, ...where, message } }
