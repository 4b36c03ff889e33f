// The matrix as a table, for a terminal and for a page, and its last line.
import { differing } from './golden.mjs'

/** @typedef {import('./rows.mjs').Outcome} Outcome */

/** What came of a row, in words; equal: whether it has the committed bits. @param {Outcome} outcome */
export function judge({ result, error, missing }, golden) {
  if (missing !== undefined) return { skipped: true, equal: false, words: `SKIPPED: ${missing}` }
  if (error !== undefined) return { skipped: false, equal: false, words: `FAILED: ${error.split('\n')[0]}` }
  const parts = differing(result, golden)
  return { skipped: false, equal: parts.length === 0, words: parts.length === 0 ? 'equal' : `DIFFERS: ${parts[0]}${parts.length > 1 ? ` and ${parts.length - 1} more` : ''}` }
}

/** The cells of a row. @param {Outcome} outcome */
export function cells(outcome, golden) {
  const { row, version, result, seconds } = outcome
  return [row.name, version ?? '', row.engine, result?.variant ?? '', seconds === undefined ? '' : seconds.toFixed(1),
    result?.hash.slice(0, 16) ?? '', judge(outcome, golden).words]
}

export const HEADER = ['runtime', 'version', 'engine', 'build', 'seconds', 'hash', '']

/** One row for a terminal, in fixed columns. @param {Outcome} outcome */
export function line(values) {
  return values.map((value, i) => String(value).padEnd([34, 15, 15, 7, 8, 17, 0][i])).join(' ').trimEnd()
}

/** `N of N runtimes equal HASH`: those that ran. @param {readonly Outcome[]} outcomes */
export function lastLine(outcomes, golden) {
  const ran = outcomes.filter((outcome) => !judge(outcome, golden).skipped)
  const equal = ran.filter((outcome) => judge(outcome, golden).equal)
  return { ok: ran.length > 0 && equal.length === ran.length, text: `${equal.length} of ${ran.length} runtimes equal ${equal[0]?.result.hash ?? 'nothing'}` }
}

/** The table of a page. @param {readonly Outcome[]} outcomes */
export function markdown(outcomes, golden) {
  const ran = outcomes.filter((outcome) => !judge(outcome, golden).skipped)
  const rows = ran.map((outcome) => {
    const [name, version, engine, build, seconds, hash, words] = cells(outcome, golden)
    return `| ${name} | ${version} | ${engine} | ${build} | ${seconds} | \`${hash}\` | ${words} |`
  })
  return ['| runtime | version | engine | build | seconds | hash | |', '|---|---|---|---|---|---|---|', ...rows, '', `\`${lastLine(outcomes, golden).text}\``].join('\n')
}
