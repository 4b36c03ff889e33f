/**
 * What a table of results must say beside its numbers.
 * @module
 */
import { count, number } from './format.ts'
import type { PrivacyStatement } from './privacy-statement.ts'
import type { Experiment, RunRecord } from './run.ts'

/** Notes under the table of an experiment, the most important first; each is a sentence or two. */
export function footnotes({ runs, left, data }: Experiment): string[] {
  const statements = runs.flatMap(run => run.privacy ?? [])
  return [
    ...left.length > 0 ? [`Ended early: ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} not among the results.`] : [],
    ...runs.filter(run => run.rounds.length < run.plannedRounds)
      .map(run => `${run.name} was stopped after ${run.rounds.length} of ${run.plannedRounds} rounds; its epsilon is for those.`),
    ...statements.length > 0 ? privacyNotes(statements) : ['Trained without privacy: no noise was added.'],
    ...statements.length > 0 && statements.length < runs.length ? ['Runs without epsilon are not private: no noise, and no clipping that counts.'] : [],
    `Accuracy is on ${count(data.test)} held-out texts (${data.heldOut}). Bytes are what one client sends or receives in a round, before compression.`,
    ...(data.nearDuplicatesInTraining ?? 0) > 0
      ? [`${count(data.nearDuplicatesInTraining!)} of the test texts have a near-duplicate in the training texts, which flatters the accuracy; hold out with "heldOut" instead.`] : [],
  ]
}

function privacyNotes(statements: readonly PrivacyStatement[]): string[] {
  const same = <T>(of: (statement: PrivacyStatement) => T): boolean => new Set(statements.map(of)).size === 1
  const [first] = statements
  const scaled = statements.filter(statement => statement.noiseCohort !== statement.simulatedCohort)
  return [
    'This is a simulation: no guarantee. Epsilon is what a deployment with this noise, cohort and population would have spent' +
      (same(s => s.delta) ? `, at delta = ${number(first.delta)}, for one ${first.unit} (${first.adjacency})` : '') + '; rounded up, by privacy-loss distributions.',
    ...scaled.length > 0 && same(s => s.noiseCohort) && same(s => s.population)
      ? [`The noise is that of ${count(first.noiseCohort)} clients a round out of ${count(first.population)} (the noise cohort); the simulation averages fewer.`] : [],
    ...statements.some(statement => statement.noiseSource === 'seeded')
      ? ['The noise came from a seed so that the run can be repeated bit for bit; whoever knows the seed can remove it.'] : [],
    'Epsilon assumes that each round samples clients at random and in secret (Poisson). Here the simulation does; in a deployment the coordinator must.',
    'Choosing settings by looking at results, this comparison included, is not covered by epsilon.',
  ]
}

/** The runs' spread of sizes, in words: how the noise cohort compares. */
export function cohortInWords(run: RunRecord): string {
  return run.privacy === null || run.privacy.noiseCohort === run.cohort ? `${count(run.cohort)} clients a round`
    : `${count(run.cohort)} clients a round, noise of ${count(run.privacy.noiseCohort)}`
}
