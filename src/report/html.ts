/**
 * The report: one HTML file that needs no network and no script.
 * @module
 */
import { count, percent } from './format.ts'
import { figures } from './figures.ts'
import { STYLE } from './style.ts'
import type { Experiment, RunRecord } from './run.ts'
import { escapeHtml as text } from './svg.ts'
import { confusionTable, headline, legend, privacyTable } from './tables.ts'
import { footnotes } from './words.ts'

/** More labels than this and a matrix says nothing. */
const MOST_LABELS = 20

/** The whole page. */
export function reportHtml(experiment: Experiment): string {
  const { name, runs, versions } = experiment
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${text(name)} - Sotto report</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${text(name)}</h1>
<p class="lead">${text(lead(experiment))}</p>
</header>
${headline(experiment)}
<p class="note"><strong>${runs.some(run => run.privacy) ? 'A simulation, no guarantee.' : 'Not private.'}</strong> ${text(warning(runs))}</p>
<section aria-labelledby="h-plots"><h2 id="h-plots">How it went</h2>
${legend(runs)}
<div class="plots">${figures(experiment).join('\n')}</div></section>
<section aria-labelledby="h-errors"><h2 id="h-errors">Where it errs</h2>
<p>Rows are the true labels, columns what the model said, on the whole test set.</p>
${runs[0].labels.length <= MOST_LABELS ? `<div class="plots">${runs.map(confusionTable).join('\n')}</div>` : `<p>${runs[0].labels.length} labels are too many for a table; results.json has it.</p>`}</section>
<section aria-labelledby="h-privacy"><h2 id="h-privacy">What is promised</h2>
${privacyTable(runs)}
${meaning(runs)}</section>
<section aria-labelledby="h-limits"><h2 id="h-limits">What is assumed, and what is not promised</h2>
<ul class="plain">${limits(experiment).map(line => `<li>${text(line)}</li>`).join('')}</ul></section>
<section aria-labelledby="h-data"><h2 id="h-data">Data and settings</h2>
<div class="card">${facts(experiment)}</div></section>
<footer>Sotto ${text(versions.sotto)} on ${text(versions.runtime)}. Settings are in config.json, the numbers of this page in results.json, every round in transcript.jsonl.</footer>
</main>
</body>
</html>
`
}

function lead({ model, data, runs }: Experiment): string {
  const what = runs.length === 1 ? runs[0].method : `${runs.length} ways to fine-tune, over the same data`
  return `${what}: ${model}, ${count(data.clients)} simulated clients with ${count(data.examples)} texts, tested on ${count(data.test)} others.`
}

function warning(runs: readonly RunRecord[]): string {
  const first = runs.find(run => run.privacy)?.privacy
  if (!first) return 'No noise was added in any run. The released models may reveal what they were trained on.'
  const scaled = first.noiseCohort === first.simulatedCohort ? ''
    : ` That deployment averages ${count(first.noiseCohort)} clients a round; the simulation averages about ${count(first.simulatedCohort)} and adds the noise that would be left in the larger mean.`
  return `Epsilon is what a deployment with this noise among ${count(first.population)} clients would spend.${scaled} The clients here are simulated, and nothing protects the data that this run used.`
}

/** ε for people who cannot read it. */
function meaning(runs: readonly RunRecord[]): string {
  const privacy = runs.find(run => run.privacy)?.privacy
  if (!privacy) return ''
  const rate = privacy.attacker.find(({ fpr }) => fpr === 0.01) ?? privacy.attacker[0]
  const percentUp = (share: number) => `${Math.ceil(share * 1000 * (1 - 1e-12)) / 10} %`
  return `<p style="margin-top:14px">In words: somebody who sees every released model, knows all other clients' data, and guesses whether one ${text(privacy.unit)} took part, ` +
    `while accusing at most ${percent(rate.fpr)} of those who did not, is right about at most ${percentUp(rate.tpr)} of those who did. By pure chance it would be ${percent(rate.fpr)}.</p>`
}

function limits(experiment: Experiment): string[] {
  const statements = experiment.runs.flatMap(run => run.privacy ?? [])
  const scaled = new Set(statements.flatMap(statement => statement.notCovered))
  return [...new Set([...scaled, ...footnotes(experiment).filter(line => !/^(This is a simulation|The noise|Epsilon assumes|Choosing)/.test(line))])]
}

function facts({ data, runs, model }: Experiment): string {
  const [least, , middle, , most] = data.examplesPerClient
  const shares = (all: Readonly<Record<string, number>>) => Object.entries(all).map(([label, share]) => `${label} ${percent(share)}`).join(', ')
  const rows: [string, string][] = [
    ['model', model],
    ['clients', `${count(data.clients)}, of whom ${count(data.clientsWithAllLabels)} have every label`],
    ['texts of a client', `${count(least)} to ${count(most)}, median ${count(middle)}`],
    ['labels in training', shares(data.labelShares)],
    ['labels in the test', shares(data.testShares)],
    ['test set', `${count(data.test)} texts: ${data.heldOut}`],
    ['near-duplicates', data.nearDuplicatesInTraining === undefined ? 'not looked for' : `${count(data.nearDuplicatesInTraining)} test texts have one in training` +
      (data.removed === undefined ? '' : `; ${count(data.removed)} texts were left out as duplicates`)],
    ...runs.map((run): [string, string] => [run.name, `${count(run.trained)} trained numbers, ${count(run.rounds.length)} rounds, ${run.threads} ${run.threads === 1 ? 'thread' : 'threads'}`]),
    ...runs.map((run): [string, string] => [`hash of ${run.name}`, run.finalHash]),
  ]
  return `<dl>${rows.map(([term, value]) => `<dt>${text(term)}</dt><dd>${/^hash of/.test(term) ? `<code>${text(value)}</code>` : text(value)}</dd>`).join('')}</dl>`
}
