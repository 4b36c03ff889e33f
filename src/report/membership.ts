/**
 * The section of a report that shows audits: who was in the training, told from the model; and ε from below.
 * @module
 */
import type { CanaryAudit } from '../simulation/audit/canaries.ts'
import type { MembershipResult } from '../simulation/audit/membership.ts'
import type { Measured, RocPoint } from '../simulation/audit/roc.ts'
import { epsilonText, number, percent } from './format.ts'
import { escapeHtml as text, linePlot, marker } from './svg.ts'
import type { Series } from './svg.ts'

/** Attacks on one model. */
export type MembershipRecord = Omit<MembershipResult, 'kind' | 'name'>

/** A one-run audit with canaries. */
export type CanaryRecord = Omit<CanaryAudit, 'kind' | 'population' | 'cohort' | 'scores'>

/** The content of audit.json. */
export interface AuditRecord {
  readonly format: 'sotto-audit/1'
  readonly run: string
  /** Share of the pool's labels that were replaced by random ones. */
  readonly randomLabels: number
  readonly canaries: CanaryRecord
  readonly membership: { readonly open: MembershipRecord, readonly private: MembershipRecord }
  /** What is to be kept in mind. */
  readonly notes: readonly string[]
}

const START = '<section aria-labelledby="h-audit">', END = '</section><!-- end of the audit -->'

/** A finished report with the audit's section in it, in the place of an earlier one. */
export function withAudit(html: string, audit: AuditRecord): string {
  const from = html.indexOf(START)
  const bare = from < 0 ? html : html.slice(0, from) + html.slice(html.indexOf(END, from) + END.length).replace(/^\n/, '')
  const before = ['<section aria-labelledby="h-limits">', '<footer>', '</main>'].find(place => bare.includes(place))
  if (before === undefined) throw new RangeError('"html" expected a report of Sotto, got another page')
  const at = bare.indexOf(before)
  return `${bare.slice(0, at)}${auditSection(audit)}\n${bare.slice(at)}`
}

/** The section. */
export function auditSection({ run, randomLabels, canaries, membership, notes }: AuditRecord): string {
  const { open } = membership
  const [{ members, nonMembers }] = open.attacks
  return `${START}<h2 id="h-audit">What an attacker finds</h2>
<p>${text(`«${run}» was trained twice more, with and without privacy, on ${members} people. ${randomLabels > 0 ? `${percent(randomLabels)} of the labels were replaced by random ones, which only a model that learns people by heart can tell. ` : ''}` +
    `The attacker gets the final model and the texts of these ${members} and of ${nonMembers} others, and says who was in.`)}</p>
<div class="plots">${rocFigure(membership)}<div class="card"><h3>In numbers</h3>${attackTable(membership)}</div></div>
<p style="margin-top:14px">${text(canaryText(canaries))}</p>
<ul class="plain">${notes.map(note => `<li>${text(note)}</li>`).join('')}</ul>
${END}`
}

/** The strongest attack of a model. */
function best({ attacks }: MembershipRecord): MembershipRecord['attacks'][number] {
  return attacks.reduce((most, attack) => attack.auc.value > most.auc.value ? attack : most)
}

function rocFigure(membership: AuditRecord['membership']): string {
  const path = (points: readonly RocPoint[]) => points.map(({ fpr, tpr }) => [100 * fpr, tpr] as const)
  const mine = best(membership.private), { promise } = membership.private
  const series: Series[] = [
    { name: 'guessing', style: 0, points: [[0, 0], [100, 1]] },
    { name: 'not private', style: 2, points: path(best(membership.open).points) },
    { name: promise ? `private, ε = ${epsilonText(promise.epsilon, 2)}` : 'private', style: 1, points: path(mine.points) },
    ...(promise ? [{ name: 'no attacker gets above', style: 3, points: path(promise.limit) }] : []),
  ]
  const plot = linePlot({
    id: 'membership', title: 'Members found against false alarms', x: 'others accused wrongly, in %', y: 'members found', low: 0, high: 1, series,
    tick: value => percent(value).replace('.0 ', ' '),
    description: `Curve of the attack. Area without privacy ${number(best(membership.open).auc.value, 3)}, with privacy ${number(mine.auc.value, 3)}; guessing has 0.5.`,
  })
  const keys = series.map(({ name, style }) => `<li><svg class="s${style % 6}" viewBox="0 0 34 14" width="34" height="14" aria-hidden="true"><path class="line" d="M0 7H34"/>${marker(style, 17, 7, 4)}</svg><span>${text(name)}</span></li>`)
  return `<figure><h3>Members found against false alarms</h3><p>The higher above the diagonal, the more the model gives away about who was in its training.</p>${plot}<ul class="legend">${keys.join('')}</ul></figure>`
}

function attackTable({ open, private: closed }: AuditRecord['membership']): string {
  const [mine, theirs] = [best(closed), best(open)]
  const measured = ({ value, low, high }: Measured, show: (x: number) => string) => `${show(value)}<small>${show(low)} to ${show(high)}</small>`
  const rows = [
    ['area under the curve', (a: typeof mine) => measured(a.auc, x => x.toFixed(2))],
    ...mine.rates.map(({ fpr }, i) => [`found at ${percent(fpr)} false alarms`, (a: typeof mine) => measured(a.rates[i].tpr, percent)] as const),
    ['attack', (a: typeof mine) => text(a.name)],
  ] as const
  return `<div class="scroll" tabindex="0"><table><thead><tr><th scope="col">${percent(mine.confidence)} intervals</th><th scope="col">not private</th><th scope="col">private</th></tr></thead><tbody>` +
    rows.map(([name, cell]) => `<tr><th scope="row" style="white-space:normal">${text(name)}</th><td>${cell(theirs)}</td><td>${cell(mine)}</td></tr>`).join('') +
    `<tr><th scope="row">texts told right<small>members, others</small></th>${[open, closed].map(({ accuracy }) => `<td>${percent(accuracy.members)}<small>${percent(accuracy.nonMembers)}</small></td>`).join('')}</tr></tbody></table></div>`
}

/** The audit with canaries, in a sentence or two. */
export function canaryText({ canaries, inside, rounds, claimed, atLeast, significance, refuted }: CanaryRecord): string {
  const sure = percent(1 - significance)
  return `Audit from below: ${inside} of ${canaries} canary clients, chosen by coins, sent random updates of full clip norm in a training of ${rounds} rounds. ` +
    `What was released shows, with ${sure} confidence, that ε is at least ${number(Math.floor(atLeast.dp * 1000) / 1000, 3)}` +
    ` (${number(Math.floor(atLeast.gaussian * 1000) / 1000, 3)} if its shape is that of Gaussian noise); ${epsilonText(claimed.epsilon)} at δ = ${number(claimed.delta)} is claimed. ` +
    (refuted ? 'The claim is refuted: noise or clipping is not what it should be.' : 'The claim stands.')
}
