/**
 * `sotto budget`: what a plan costs, or the noise, rounds or cohort that a budget pays for; or what a ledger has spent.
 * @module
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  ADJACENCIES, pldAccountant, poissonGaussian, PRIVACY_UNITS, rdpAccountant, solveBudget, summarise,
} from '../privacy/accountant/index.ts'
import type { Accountant, Adjacency, BudgetAnswer, PrivacyUnit } from '../privacy/accountant/index.ts'
import { count, epsilonText, number } from '../report/format.ts'
import { auditAction } from './budget-ledger.ts'
import type { LedgerFlags } from './budget-ledger.ts'
import { InputError } from './failure.ts'
import { integer } from './simulate.ts'
import { textPlot } from './text-plot.ts'
import { textTable, wrap } from './text-table.ts'

interface BudgetFlags extends Partial<LedgerFlags> {
  readonly population?: number
  readonly cohort?: number
  readonly rounds?: number
  readonly delta?: number
  readonly sigma?: number
  readonly epsilon?: number
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
}

/** A plan in full, with what it means. */
interface BudgetReport {
  readonly answer: BudgetAnswer
  readonly unit: PrivacyUnit
  readonly adjacency: Adjacency
  readonly mu: number
  readonly attacker: readonly { readonly fpr: number, readonly tpr: number }[]
  readonly discretisation: number
  readonly rdpEpsilon: number
  /** ε after some numbers of rounds. */
  readonly curve: readonly { readonly rounds: number, readonly epsilon: number }[]
  readonly assumed: readonly string[]
}

const EXAMPLE = `
Of --sigma, --rounds, --cohort and --epsilon leave one out; it is solved for.
  sotto budget --population 1000000 --cohort 5000 --rounds 1000 --delta 1e-6 --sigma 0.9
  sotto budget --population 1000000 --cohort 5000 --rounds 1000 --delta 1e-6 --epsilon 2`

/** The command. */
export function budgetCommand(): Command {
  return new Command('budget')
    .description('what rounds of sampled Gaussian noise cost, or the noise, rounds or cohort that a budget pays for')
    .option('--population <n>', 'clients that could take part', integer(1))
    .option('--cohort <n>', 'expected clients a round', positive)
    .option('--rounds <n>', 'rounds', integer(1))
    .option('--delta <d>', 'chance that the promise may fail by more than epsilon', positive)
    .option('--sigma <s>', 'noise multiplier: standard deviation of the noise on the sum, over the clip norm', positive)
    .option('--epsilon <e>', 'budget', positive)
    .addOption(new Option('--unit <unit>', 'who is protected').choices([...PRIVACY_UNITS]).default('client'))
    .addOption(new Option('--adjacency <relation>', 'what neighbours differ by').choices([...ADJACENCIES]).default('add-remove'))
    .option('--ledger <path>', 'audit a ledger instead: every epsilon again from its events alone')
    .option('--head <hash>', 'hash of the ledger\'s last entry, as published with a model')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(budgetAction)
}

/** What a plan is made of, which a ledger has already. */
const PLAN = ['population', 'cohort', 'rounds', 'delta', 'sigma', 'epsilon'] as const

async function budgetAction(flags: BudgetFlags): Promise<void> {
  const { ledger } = flags
  if (ledger !== undefined) {
    const given = PLAN.find(name => flags[name] !== undefined)
    if (given) throw new InputError(`"--ledger" expected no --${given} beside it, got one; a ledger knows its events`)
    return auditAction({ ...flags, ledger })
  }
  if (flags.head !== undefined) throw new InputError('"--head" expected --ledger beside it, got none')
  const report = budgetReport(flags)
  process.stdout.write(`${flags.json ? JSON.stringify(asJson(report), null, 2) : asText(report)}\n`)
}

function budgetReport(flags: BudgetFlags): BudgetReport {
  const { population, delta, unit, adjacency, cohort, rounds, sigma, epsilon } = flags
  if (population === undefined || delta === undefined) {
    throw new InputError(`"--${population === undefined ? 'population' : 'delta'}" expected a number, got none; sotto budget --help shows an example`)
  }
  if (delta >= 1) throw new InputError(`"--delta" expected a number between 0 and 1, got ${delta}`)
  if (cohort !== undefined && cohort > population) throw new InputError(`"--cohort" expected at most the population of ${population}, got ${cohort}`)
  const missing = Object.entries({ sigma, rounds, cohort, epsilon }).filter(([, value]) => value === undefined).map(([name]) => `--${name}`)
  if (missing.length !== 1) {
    throw new InputError(`budget expected three of --sigma, --rounds, --cohort and --epsilon, got ${missing.length === 0 ? 'all four' : `none for ${missing.join(', ')}`}; ` +
      'leave exactly one out, and it is solved for')
  }
  const answer = solveBudget({
    unit, adjacency, population, delta,
    ...(cohort !== undefined && { cohort }), ...(rounds !== undefined && { rounds }),
    ...(sigma !== undefined && { noiseMultiplier: sigma }), ...(epsilon !== undefined && { epsilon }),
  })
  const { noiseMultiplier, samplingRate } = answer
  const compose = (empty: Accountant) => empty.compose(poissonGaussian({ noiseMultiplier, samplingRate }), answer.rounds)
  const { mu, attacker, discretisation } = summarise(compose(pldAccountant({ unit, adjacency })), delta)
  // on the grid that the answer needed, which is fine enough for fewer rounds; one pass a point
  const onGrid = pldAccountant({ unit, adjacency, ...(discretisation > 0 && { discretisation }) })
  return {
    answer, unit, adjacency, mu, attacker, discretisation,
    rdpEpsilon: compose(rdpAccountant({ unit, adjacency })).epsilon(delta),
    curve: roundsToShow(answer.rounds).map(n => ({
      rounds: n, epsilon: n === answer.rounds ? answer.epsilon : onGrid.compose(poissonGaussian({ noiseMultiplier, samplingRate }), n).epsilon(delta),
    })),
    assumed: assumptions(answer, unit, adjacency),
  }
}

/** About ten numbers of rounds up to all of them. */
function roundsToShow(rounds: number): number[] {
  return [...new Set([0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map(share => Math.max(1, Math.round(share * rounds))))]
}

function assumptions({ population, cohort, delta }: BudgetAnswer, unit: PrivacyUnit, adjacency: Adjacency): string[] {
  const neighbours = {
    'add-remove': `one ${unit} is there or not`, 'zero-out': `one ${unit}'s contribution is replaced by zero`, 'substitute': `one ${unit} is exchanged for another`,
  }[adjacency]
  return [
    `Unit: ${unit}. Adjacency: ${adjacency} (${neighbours}). All that a ${unit} gives to a round is clipped to one L2 norm, and sigma is relative to it.`,
    `Sampling: in each round every one of ${count(population)} ${unit}s takes part by a coin of its own, with probability ${number(cohort / population)} (Poisson), and nobody sees who did. ` +
      'Whoever runs the rounds must enforce this; devices that come when they please do not sample themselves.',
    'Noise: Gaussian, added once to the sum of a round, which is then divided by the planned cohort, whoever came. It must come from a secret cryptographic generator.',
    'Accounting: privacy-loss distributions, both directions, rounded up. Released: every round\'s sum, to anyone, for ever.',
    'Not covered: choosing settings by looking at results, other releases from the same data, and side channels.',
    ...(delta * population >= 1 ? [`Beware: delta = ${number(delta)} is not below 1 / population = ${number(1 / population)}. With a chance of delta the promise may fail for a ${unit} altogether; choose it well below.`] : []),
  ]
}

function asJson({ answer, unit, adjacency, mu, attacker, discretisation, rdpEpsilon, curve, assumed }: BudgetReport) {
  const { epsilon, delta, noiseMultiplier, rounds, cohort, population, samplingRate, solvedFor } = answer
  return {
    epsilon, delta, sigma: noiseMultiplier, rounds, cohort, population, samplingRate,
    solvedFor: solvedFor === 'noiseMultiplier' ? 'sigma' : solvedFor,
    unit, adjacency, sampling: 'Poisson', accountant: { name: 'PLD', bound: 'upper', discretisation }, rdpEpsilon, mu, attacker, curve, assumed,
  }
}

function asText({ answer, adjacency, unit, mu, attacker, rdpEpsilon, curve, assumed }: BudgetReport): string {
  const { epsilon, delta, noiseMultiplier, rounds, cohort, population, solvedFor } = answer
  const star = (name: BudgetAnswer['solvedFor']) => (name === solvedFor ? '  <- solved for' : '')
  const facts: [string, string][] = [
    ['epsilon', `${epsilonText(epsilon, 4)} at delta = ${number(delta)}${star('epsilon')}`],
    ['sigma', `${ceil(noiseMultiplier, 5)}${star('noiseMultiplier')}`],
    ['rounds', `${count(rounds)}${star('rounds')}`],
    ['cohort', `${number(cohort)} of ${count(population)}${star('cohort')}`],
    ['epsilon by RDP', `${epsilonText(rdpEpsilon, 4)} (a looser bound of the same, as a check)`],
    ['mu', `${epsilonText(mu, 4)} (as hard to tell apart as two normal distributions so many deviations apart)`],
  ]
  const [, at] = attacker
  return [
    ...facts.map(([name, value]) => `${name.padEnd(15)} ${value}`),
    '',
    wrap(`In words: who accuses at most ${number(at.fpr * 100)} % of those ${unit}s that did not take part finds at most ${ceil(at.tpr * 100, 1)} % of those that did.`),
    '',
    textTable(['rounds', 'epsilon'], curve.map(point => [count(point.rounds), epsilonText(point.epsilon, 4)])),
    '',
    textPlot([{ x: 0, y: 0 }, ...curve.map(point => ({ x: point.rounds, y: point.epsilon }))], 'rounds', `epsilon at delta = ${number(delta)} (${adjacency})`),
    '',
    'Assumed',
    ...assumed.map(line => wrap(`* ${line}`, '  ')),
  ].join('\n')
}

/** Rounded up: a noise multiplier that is read off must be enough. */
function ceil(value: number, digits: number): string {
  return String(Math.ceil(value * 10 ** digits * (1 - 1e-12)) / 10 ** digits)
}

/** A number above 0 for commander. */
function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a number above 0')
  return value
}
