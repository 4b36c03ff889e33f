import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { reportHtml } from '../../src/report/html.ts'
import { auditSection, canaryText, withAudit } from '../../src/report/membership.ts'
import type { AuditRecord, MembershipRecord } from '../../src/report/membership.ts'
import { rocOf } from '../../src/simulation/audit/roc.ts'
import { experiment } from './support.ts'

const model = (shift: number, promise: MembershipRecord['promise']): MembershipRecord => ({
  references: 0, rounds: 3, cohort: 10, accuracy: { members: 0.9, nonMembers: 0.5 }, promise,
  attacks: [{ name: 'loss', ...rocOf([0, 1, 2, 3, 4].map(x => x + shift), [0.5, 1.5, 2.5, 3.5]) }],
})
const limit = [{ fpr: 0, tpr: 0 }, { fpr: 0.5, tpr: 0.7 }, { fpr: 1, tpr: 1 }]
const audit: AuditRecord = {
  format: 'sotto-audit/1', run: 'a <b>', randomLabels: 0.5, notes: ['keep & mind'],
  canaries: { canaries: 10, inside: 4, outside: 6, rounds: 3, claimed: { epsilon: 2, delta: 1e-5 }, atLeast: { dp: 0.3839, gaussian: 0.5 }, significance: 0.05, refuted: false },
  membership: { open: model(9, null), private: model(0, { epsilon: 1.9991, delta: 1e-5, noiseMultiplier: 4, limit }) },
}

test('the section has the curves of both models, of the promise and of guessing, and their areas', () => {
  const section = auditSection(audit)
  assert.is(section.match(/<path class="line" d="M\d/g)!.length, 4 + 4)
  assert.match(section, />1\.00<small>1\.00 to 1\.00<\/small>/)
  assert.match(section, /private, ε = 2\.00/)
  assert.match(section, /a &#60;b&#62;/)
  assert.match(section, /keep &#38; mind/)
  assert.not.match(section, /NaN|undefined|Infinity|\[object|<b>/)
})

test('it stands before the limits of a report, once, however often it is put there; tags stay balanced', () => {
  const page = reportHtml(experiment())
  const once = withAudit(page, audit)
  assert.ok(once.indexOf('h-audit') < once.indexOf('id="h-limits"') && once.indexOf('h-audit') > once.indexOf('id="h-privacy"'))
  const other = { ...audit, run: 'another' }
  assert.is(withAudit(withAudit(once, other), audit), once)
  assert.is(once.match(/<section/g)!.length, page.match(/<section/g)!.length + 1)
  for (const tag of ['section', 'figure', 'table', 'tr', 'td', 'th', 'svg', 'g', 'ul', 'li', 'div']) {
    assert.is(once.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length, once.match(new RegExp(`</${tag}>`, 'g'))?.length, tag)
  }
  assert.throws(() => withAudit('<p>no report</p>', audit), /expected a report of Sotto/)
})

test('lower bounds are rounded down, claims up; what is refuted says so', () => {
  assert.match(canaryText(audit.canaries), /at least 0\.383 .*2\.000 at δ = 1e-5 is claimed\. The claim stands\.$/)
  assert.match(canaryText({ ...audit.canaries, refuted: true }), /The claim is refuted/)
})

test.run()
