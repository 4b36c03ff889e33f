// Rows of the results, as text and as Markdown.
//
// A row: { what, on?, value?, unit?, text?, goal?, note?, failed?, data? }
//   value, unit  what was measured; `text` instead where one number does not say it
//   goal         { least: number } or { most: number }; `for: false`: shown, not judged (another engine than the goal's)
//   failed       a correctness check that failed, in words: no time is given then
//   data         everything else that was measured, for the JSON

/**
 * @typedef {{ what: string, on?: string, value?: number, unit?: string, text?: string, note?: string, failed?: string, data?: object,
 *   goal?: { least?: number, most?: number, for?: boolean } }} Row
 */

const FORMAT = { x: (v) => `${v.toFixed(2)} x`, ms: (v) => `${plain(v)} ms`, MB: (v) => `${Math.round(v)} MB`, share: (v) => v.toFixed(3), s: (v) => `${plain(v)} s` }

const plain = (v) => v === 0 ? '0' : Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : Math.abs(v) >= 0.1 ? v.toFixed(2) : v.toPrecision(2)

/** What was measured, as text. @param {Row} row */
export function measured({ value, unit, text, failed }) {
  if (failed !== undefined) return 'WRONG'
  if (text !== undefined) return text
  if (value === undefined) return '-'
  return FORMAT[unit]?.(value) ?? `${plain(value)}${unit ? ` ${unit}` : ''}`
}

/** The goal, as text. @param {Row} row */
export function goalOf({ goal, unit }) {
  if (goal === undefined) return ''
  const number = (v) => unit === 'x' || unit === 'share' ? v.toFixed(2) : plain(v)
  return goal.least !== undefined ? `>= ${number(goal.least)}` : `<= ${number(goal.most)}`
}

/** `yes`, `no`, or nothing where there is no goal to meet. @param {Row} row */
export function verdict({ goal, value, failed }) {
  if (failed !== undefined) return 'WRONG'
  if (goal === undefined || value === undefined || goal.for === false) return ''
  return (goal.least === undefined || value >= goal.least) && (goal.most === undefined || value <= goal.most) ? 'yes' : 'no'
}

const HEAD = ['what', 'measured', 'goal', 'met', 'on', 'note']

const cells = (row) => [row.what, measured(row), goalOf(row), verdict(row), row.on ?? '', row.failed ?? row.note ?? '']

/** Rows under a title, in columns. @param {string} title @param {Row[]} rows */
export function textTable(title, rows) {
  const all = [HEAD, ...rows.map(cells)]
  const widths = HEAD.map((_, i) => Math.max(...all.map((row) => row[i].length)))
  const lines = all.map((row) => row.map((cell, i) => i === 1 || i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join('  ').trimEnd())
  return [title, '', lines[0], widths.slice(0, 5).map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1), ''].join('\n')
}

/** The same in Markdown. Columns that are empty throughout are left out. @param {string} title @param {Row[]} rows */
export function markdownTable(title, rows) {
  const all = rows.map(cells)
  const used = HEAD.map((_, i) => i < 2 || all.some((row) => row[i] !== ''))
  const line = (row) => `| ${row.filter((_, i) => used[i]).map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [`### ${title}`, '', line(HEAD), `|${HEAD.filter((_, i) => used[i]).map(() => '---').join('|')}|`, ...all.map(line), ''].join('\n')
}

/** Rows of a module of another shape, as rows of ours: an object's entries are what was measured. */
export function asRow(row) {
  if (row !== null && typeof row === 'object' && typeof row.what === 'string') return row
  const { name, title, ...rest } = row
  return { what: String(name ?? title ?? 'result'), text: Object.entries(rest).map(([key, value]) => `${key} ${typeof value === 'number' ? plain(value) : value}`).join(', ') }
}
