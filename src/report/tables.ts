/**
 * The tables of a report: results, privacy, confusion.
 * @module
 */
import { bytesText, count, duration, epsilonText, number, percent, shareError } from './format.ts'
import type { PrivacyStatement } from './privacy-statement.ts'
import type { Experiment, RunRecord } from './run.ts'
import { escapeHtml as text, marker } from './svg.ts'
import { cohortInWords } from './words.ts'

/** The table that everybody reads first. */
export function headline({ runs, data }: Experiment): string {
  const best = Math.max(...runs.filter(run => run.privacy !== null).map(run => run.accuracy))
  const several = runs.filter(run => run.privacy !== null).length > 1
  const rows = runs.map((run, i) => `<tr><th scope="row">${key(i)} ${text(run.name)}<small>${text(run.method)}</small></th>` +
    `<td${several && run.privacy && run.accuracy === best ? ' class="best"' : ''}>${percent(run.accuracy)}<small>± ${(100 * shareError(run.accuracy, data.test)).toFixed(1)}</small></td>` +
    (run.privacy ? `<td>${epsilonText(run.privacy.epsilon)}<small>δ = ${number(run.privacy.delta)}</small></td>` : '<td>none<small>not private</small></td>') +
    `<td>${bytesText(run.bytesDown)}</td><td>${bytesText(run.bytesUp)}</td>` +
    `<td>${count(run.rounds.length)}<small>${text(cohortInWords(run))}</small></td><td>${duration(run.seconds)}</td></tr>`)
  return `<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">run</th><th scope="col">accuracy</th><th scope="col">epsilon</th>` +
    `<th scope="col">down<small>a client a round</small></th><th scope="col">up<small>a client a round</small></th><th scope="col">rounds</th><th scope="col">time</th></tr></thead>` +
    `<tbody>${rows.join('')}</tbody></table></div>`
}

/** Which line is whose. */
export function legend(runs: readonly RunRecord[]): string {
  return `<ul class="legend">${runs.map((run, i) => `<li>${key(i)}<span>${text(run.name)}</span></li>`).join('')}</ul>`
}

function key(i: number): string {
  return `<svg class="s${i % 6}" viewBox="0 0 34 14" width="34" height="14" aria-hidden="true" style="display:inline-block;width:34px;height:14px;vertical-align:-1px">` +
    `<path class="line" d="M0 7H34"/>${marker(i, 17, 7, 4)}</svg>`
}

/** What each private run promises, beside each other. */
export function privacyTable(runs: readonly RunRecord[]): string {
  const paid = runs.flatMap(run => run.privacy ? [{ name: run.name, privacy: run.privacy }] : [])
  if (paid.length === 0) return '<p>No run added noise. Whoever gets such a model may learn about the texts that it was trained on.</p>'
  const rows: [string, (p: PrivacyStatement) => string][] = [
    ['status', () => 'simulation, no guarantee'],
    ['protected unit', p => p.unit],
    ['neighbours', p => p.adjacency],
    ['population', p => count(p.population)],
    ['noise cohort', p => count(p.noiseCohort)],
    ['simulated cohort', p => count(p.simulatedCohort)],
    ['sampling', p => `${p.sampling.scheme}, rate ${number(p.sampling.rate)}`],
    ['rounds', p => count(p.rounds)],
    ['noise multiplier σ', p => number(p.mechanism.noiseMultiplier, 5)],
    ['clip norm', p => p.mechanism.clip === 0 ? 'none' : `${number(p.mechanism.clip)} (${p.mechanism.clipRule})`],
    ['ε at δ (PLD, upper bound)', p => `${epsilonText(p.epsilon, 4)} at ${number(p.delta)}`],
    ['step of the PLD grid', p => p.accountant.discretisation === 0 ? 'exact' : number(p.accountant.discretisation)],
    ['ε by Rényi DP (cross-check)', p => epsilonText(p.crossCheck.epsilon, 4)],
    ['μ (Gaussian DP)', p => epsilonText(p.mu, 4)],
    ...paid[0].privacy.attacker.map(({ fpr }, i): [string, (p: PrivacyStatement) => string] =>
      [`attacker finds, at ${percentOf(fpr)} false alarms`, p => percentOf(p.attacker[i].tpr)]),
    ['noise from', p => p.noiseSource === 'seeded' ? 'a seed (repeatable)' : 'the system'],
  ]
  const body = rows.map(([name, cell]) => {
    const cells = paid.map(({ privacy }) => cell(privacy))
    // what is the same for all is said once
    const shown = new Set(cells).size === 1 ? `<td colspan="${cells.length}">${text(cells[0])}</td>` : cells.map(value => `<td>${text(value)}</td>`).join('')
    return `<tr><th scope="row">${text(name)}</th>${shown}</tr>`
  })
  return `<div class="scroll" tabindex="0"><table class="wraps"><thead><tr><th scope="col">${paid.length > 1 ? 'one value: for all of them' : 'run'}</th>` +
    `${paid.map(({ name }) => `<th scope="col">${text(name)}</th>`).join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
}

/** Rates, small ones too; rounded up. */
function percentOf(share: number): string {
  const value = share * 100
  const digits = value >= 10 ? 1 : value >= 1 ? 2 : value >= 0.01 ? 3 : 5
  return `${Number((Math.ceil(value * 10 ** digits * (1 - 1e-12)) / 10 ** digits).toFixed(digits))} %`
}

/** True against predicted classes of one run, darker where more. */
export function confusionTable({ name, labels, confusion }: RunRecord, style: number): string {
  const rows = confusion.map((row, i) => {
    const total = row.reduce((sum, value) => sum + value, 0)
    const cells = row.map((value, j) => {
      const share = total === 0 ? 0 : value / total
      return `<td${i === j ? ' class="hit"' : ''} style="background:color-mix(in srgb, currentColor ${Math.round(share * 28)}%, transparent)">` +
        `<span style="color:var(--ink)">${count(value)}<small>${percent(share)}</small></span></td>`
    })
    return `<tr><th scope="row" style="color:var(--ink)">${text(labels[i])}</th>${cells.join('')}</tr>`
  })
  return `<div class="card s${style % 6}"><h3 style="color:var(--ink)">${text(name)}</h3><div style="overflow-x:auto" tabindex="0" role="region" aria-label="Confusion matrix of ${text(name)}"><table class="matrix">` +
    `<thead><tr><th scope="col">true \\ told</th>${labels.map(label => `<th scope="col" style="text-align:center">${text(label)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div></div>`
}
