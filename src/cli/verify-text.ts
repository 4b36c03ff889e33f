/**
 * A verification in words, for a terminal.
 * @module
 */
import { count } from '../report/format.ts'
import type { Check, CheckName, Difference, Verification } from '../replay/index.ts'
import { wrap } from './text-table.ts'

/** What each check looks at. */
const WORDS: Readonly<Record<CheckName, string>> = {
  transcript: 'lines, each chained to the one before it',
  files: 'files of the run, by their hashes',
  ledger: 'ledger: chain, every epsilon again, its rounds',
  model: 'files of the model that was fine-tuned',
  start: 'values that the run starts from',
  data: 'texts of the clients, and the test set',
  plans: 'plans, made again from settings and state',
  clients: 'who took part, drawn again from the seed',
  contributions: 'contributions: hash, range and norm',
  training: 'clients trained again, integer by integer',
  noise: 'noise: keys by their commitments, or its size',
  releases: 'noised sums',
  states: 'values after each round, by tensor',
  'trained model': 'files of the trained model, made again',
  accuracy: 'accuracy on the whole test set',
}

/** At most so many differences are told. */
const MOST = 8

/** All of it. */
export function verificationText(result: Verification): string {
  const { checks, differences, first } = result
  const lines = [headline(result)]
  if (first) {
    const others = differences.filter(difference => difference !== first)
    lines.push(`  ${wrap(`first difference: ${differenceText(first)}`, '    ')}`)
    for (const difference of others.slice(0, MOST)) lines.push(`  ${wrap(`also: ${differenceText(difference)}`, '    ')}`)
    if (others.length > MOST) lines.push(`  and ${others.length - MOST} more; --json has all`)
  }
  const width = Math.max(...Object.values(WORDS).map(text => text.length))
  const digits = Math.max(...checks.map(check => count(check.count).length))
  lines.push('', ...checks.map(check => `  ${outcomeText(check).padEnd(11)}  ${(check.count > 0 ? count(check.count) : '').padStart(digits)}  ` +
    `${check.note === '' ? WORDS[check.name] : `${WORDS[check.name].padEnd(width)}  ${check.note}`}`))
  return lines.join('\n')
}

/** Where and what, in a line. */
export function differenceText({ check, round, client, tensor, row, column, message }: Difference): string {
  const where = [
    round === undefined ? [] : [`round ${round}`], client === undefined ? [] : [`client ${client}`],
    tensor === undefined ? [] : [row === undefined ? `tensor ${tensor}` : `tensor ${tensor}, row ${row}, column ${column}`],
  ].flat()
  return `${where.length === 0 ? check : where.join(', ')}: ${message}`
}

function headline({ run, verdict, rounds, done, reached, finalHash }: Verification): string {
  const gone = done === rounds ? `${rounds} rounds` : `${done} of ${rounds} rounds`
  if (verdict === 'differs') return `${run}: DIFFERS, after ${gone} gone through`
  if (verdict === 'stopped') return `${run}: stopped; nothing differs in ${gone}`
  return reached === null ? `${run}: nothing differs in ${gone}; the final state was not computed` : `${run}: equal; ${gone} lead to the final hash ${finalHash}`
}

function outcomeText({ outcome }: Check): string { return outcome === 'differs' ? 'DIFFERS' : outcome }
