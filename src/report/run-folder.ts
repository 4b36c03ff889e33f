/**
 * The files of a run's folder, as one record that a host writes whole or not at all.
 *
 * One run: its files lie in the folder. Several: each has a folder of its own name, and report, results and settings lie
 * above them.
 * @module
 */
import type { Plain } from '../canonical.ts'
import { NUMERICS_VERSION } from '../numerics.ts'
import { footnotes } from './words.ts'
import { reportHtml } from './html.ts'
import type { Experiment, RunRecord } from './run.ts'

/** Marks a folder that may be replaced by a later run. */
export const RESULTS_FORMAT = 'sotto-results/1'

/** Files by name. */
export type Files = Record<string, Uint8Array | string>

/** All files of an experiment. @param models - each run's model files @param settings - the settings as they were read */
export function runFolder(experiment: Experiment, models: readonly Readonly<Files>[], settings: Plain): Files {
  const files: Files = {}
  experiment.runs.forEach((run, i) => {
    const folder = folderOf(experiment, run)
    for (const [name, content] of Object.entries(models[i])) files[`${folder}${name}`] = content
    files[`${folder}privacy.json`] = json(statementOf(run))
  })
  files['config.json'] = json(settings)
  files['results.json'] = json(results(experiment))
  files['report.html'] = reportHtml(experiment)
  return files
}

/** Where a run's own files lie within the folder: '' or 'NAME/'. */
export function folderOf(experiment: Experiment, run: RunRecord): string {
  return experiment.runs.length + experiment.left.length > 1 ? `${run.name}/` : ''
}

/** The headline numbers, for programs. */
export function results(experiment: Experiment) {
  const { name, model, versions, data, left } = experiment
  return {
    format: RESULTS_FORMAT, numerics: NUMERICS_VERSION, name, model, versions, data, notStarted: left,
    runs: experiment.runs.map(run => ({
      name: run.name, method: run.method, folder: folderOf(experiment, run) || './',
      accuracy: run.accuracy, confusion: run.confusion, labels: run.labels,
      epsilon: run.privacy?.epsilon ?? null, delta: run.privacy?.delta ?? null, privacy: run.privacy?.status ?? 'not private',
      rounds: run.rounds.length, plannedRounds: run.plannedRounds, cohort: run.cohort, noiseCohort: run.privacy?.noiseCohort ?? null,
      bytesDown: run.bytesDown, bytesUp: run.bytesUp, seconds: run.seconds, threads: run.threads,
      trained: run.trained, task: run.taskHash, finalHash: run.finalHash,
    })),
    notes: footnotes(experiment),
  }
}

/**
 * The content of privacy.json. The heads anchor ledger and transcript: published with the model, they prove that neither
 * was cut or replaced later.
 */
function statementOf({ privacy, ledger, transcriptHead }: RunRecord): object {
  return {
    ...privacy ?? { format: 'sotto-privacy/1', numerics: NUMERICS_VERSION, status: 'not private', notCovered: ['No noise was added: the released model may reveal what it was trained on.'] },
    ledger, transcript: transcriptHead === null ? null : { head: transcriptHead },
  }
}

function json(value: unknown): string { return `${JSON.stringify(value, null, 2)}\n` }
