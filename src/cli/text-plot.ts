/**
 * A curve in characters.
 * @module
 */
import { short, ticks } from '../report/svg.ts'

const ROWS = 12, COLUMNS = 60

/** Points joined by straight lines, x from 0; y from 0. */
export function textPlot(points: readonly { readonly x: number, readonly y: number }[], xName: string, yName: string): string {
  const finite = points.filter(({ y }) => Number.isFinite(y))
  const xMost = Math.max(1, ...finite.map(({ x }) => x))
  const levels = ticks(0, Math.max(1e-9, ...finite.map(({ y }) => y)), 4)
  const yMost = levels[levels.length - 1]
  const rows = Array.from({ length: ROWS + 1 }, () => Array<string>(COLUMNS + 1).fill(' '))
  for (let column = 0; column <= COLUMNS; column++) {
    const y = at(finite, column / COLUMNS * xMost)
    if (y !== undefined) rows[ROWS - Math.round(y / yMost * ROWS)][column] = '*'
  }
  const labels = new Map(levels.map(level => [ROWS - Math.round(level / yMost * ROWS), short(level)]))
  const margin = Math.max(...[...labels.values()].map(label => label.length))
  const middle = short(Math.round(xMost / 2)), end = short(xMost)
  const half = Math.floor(COLUMNS / 2)
  return [
    `${' '.repeat(margin)}  ${yName}`,
    ...rows.map((row, i) => `${(labels.get(i) ?? '').padStart(margin)} ${labels.has(i) ? '+' : '|'}${row.join('').trimEnd()}`),
    `${' '.repeat(margin)} +${'-'.repeat(COLUMNS + 1)}`,
    `${' '.repeat(margin)}  ${`0${' '.repeat(half - Math.floor(middle.length / 2) - 1)}${middle}`.padEnd(COLUMNS + 1 - end.length)}${end}  ${xName}`,
  ].join('\n')
}

function at(points: readonly { readonly x: number, readonly y: number }[], x: number): number | undefined {
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i]
    if (x <= b.x) return a.y + (b.y - a.y) * (b.x > a.x ? (x - a.x) / (b.x - a.x) : 1)
  }
  return points[points.length - 1]?.y
}
