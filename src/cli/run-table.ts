/**
 * The results of a simulation on a terminal.
 * @module
 */
import { bytesText, duration, epsilonText, percent } from '../report/format.ts'
import type { Experiment } from '../report/run.ts'
import { footnotes } from '../report/words.ts'
import { textTable, wrap } from './text-table.ts'

/** Table and footnotes. */
export function runTable(experiment: Experiment): string {
  const rows = experiment.runs.map(({ name, accuracy, privacy, bytesDown, bytesUp, rounds, seconds }) => [
    name, percent(accuracy), privacy ? epsilonText(privacy.epsilon) : 'none', bytesText(bytesDown), bytesText(bytesUp),
    String(rounds.length), duration(seconds),
  ])
  const notes = footnotes(experiment).map(note => wrap(`* ${note}`, '  '))
  return [textTable(['run', 'accuracy', 'epsilon', 'down', 'up', 'rounds', 'time'], rows), '', ...notes].join('\n')
}
