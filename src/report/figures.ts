/**
 * The plots of an experiment, each with its sentence and its table.
 * @module
 */
import { bytesText, epsilonText, number, percent } from './format.ts'
import type { Experiment, RunRecord } from './run.ts'
import { barPlot, escapeHtml, linePlot, short, thinned } from './svg.ts'
import type { LinePlot, Series } from './svg.ts'

/** Rows of a plot's table; the transcript has all rounds. */
const MOST_ROWS = 40

/** All figures of an experiment that have something to show. */
export function figures(experiment: Experiment): string[] {
  const { runs } = experiment
  return [
    accuracyFigure(runs), epsilonFigure(runs), lossFigure(runs), normFigure(runs), clipFigure(runs), clippedFigure(runs), rankFigure(runs), bytesFigure(runs),
  ].filter(figure => figure !== '')
}

function accuracyFigure(runs: readonly RunRecord[]): string {
  const series = seriesOf(runs, run => [
    ...run.rounds.flatMap(({ round, accuracy }) => accuracy === undefined ? [] : [[round, accuracy] as const]),
    [run.rounds.length, run.accuracy] as const,
  ])
  const least = Math.min(...series.flatMap(({ points }) => points.map(([, y]) => y)))
  return lineFigure({
    id: 'accuracy', title: 'Accuracy against rounds', x: 'round', y: 'accuracy', series, low: Math.max(0, Math.floor(least * 10 - 0.2) / 10), high: 1,
    tick: value => `${short(value * 100)} %`,
    description: `Share of held-out texts classified right. ${ends(runs, run => percent(run.accuracy))}`,
  }, 'Share of held-out texts classified right: on a sample of them along the way, on all of them at the end.')
}

function epsilonFigure(runs: readonly RunRecord[]): string {
  const paid = runs.filter(run => run.privacy !== null)
  if (paid.length === 0) return ''
  const series = seriesOf(runs, run => run.privacy === null ? [] : [[0, 0], ...run.rounds.map(({ round, epsilon }) => [round, epsilon ?? NaN] as const)])
    .filter(({ points }) => points.length > 0)
  return lineFigure({
    id: 'epsilon', title: 'Privacy spent against rounds', x: 'round', y: 'epsilon', series, low: 0,
    description: `Epsilon after each round. ${ends(paid, run => epsilonText(run.privacy!.epsilon))}`,
  }, 'Epsilon so far, of the deployment that is imitated. Runs with the same noise lie on each other.')
}

function lossFigure(runs: readonly RunRecord[]): string {
  return lineFigure({
    id: 'loss', title: 'Training loss against rounds', x: 'round', y: 'loss', low: 0,
    series: seriesOf(runs, run => run.rounds.map(({ round, loss, clients }) => [round, clients > 0 ? loss : NaN] as const)),
    description: `Mean loss of the clients of a round. ${ends(runs, run => number(run.rounds[run.rounds.length - 1].loss, 3))}`,
  }, 'Mean over the clients of the round, on their own texts. Raw data: a deployment does not see it.')
}

function normFigure(runs: readonly RunRecord[]): string {
  const clips = [...new Set(runs.flatMap(run => run.privacy ? [run.privacy.mechanism.clip] : []))]
  const fixed = clips.length === 1 && runs.every(run => run.rounds.every(({ clip }) => run.privacy === null || clip === clips[0]))
  return lineFigure({
    id: 'norm', title: 'Size of an update before clipping', x: 'round', y: 'L2 norm', low: 0,
    series: seriesOf(runs, run => run.rounds.map(({ round, updateNorm, clients }) => [round, clients > 0 ? updateNorm : NaN] as const)),
    ...(fixed ? { mark: { y: clips[0], name: `clip norm ${number(clips[0])}` } } : {}),
    description: `Median L2 norm of the clients' updates. Clip norms: ${runs.map(run => `${run.name} ${run.privacy ? number(run.privacy.mechanism.clip) : 'none'}`).join(', ')}.`,
  }, 'Median over the clients of a round. What is longer than the clip norm is shortened to it.')
}

/** Only where the clip norm moves: by rank, or after the updates' sizes. */
function clipFigure(runs: readonly RunRecord[]): string {
  const series = seriesOf(runs, run => run.privacy === null ? [] : run.rounds.map(({ round, clip }) => [round, clip] as const))
    .filter(({ points }) => points.length > 0)
  if (series.every(({ points }) => points.every(([, clip]) => clip === points[0][1]))) return ''
  return lineFigure({
    id: 'clip', title: 'Clip norm against rounds', x: 'round', y: 'L2 norm', low: 0, series,
    description: 'The L2 norm that updates were clipped to in each round.',
  }, 'What updates were shortened to. It depends on the rank, or on released counts, never on unreleased data.')
}

function clippedFigure(runs: readonly RunRecord[]): string {
  if (runs.every(run => run.privacy === null)) return ''
  const series = seriesOf(runs, run => run.privacy === null ? [] : run.rounds.map(({ round, clippedShare, clients }) => [round, clients > 0 ? clippedShare : NaN] as const))
    .filter(({ points }) => points.length > 0)
  return lineFigure({
    id: 'clipped', title: 'Share of updates clipped', x: 'round', y: 'share', low: 0, high: 1, series, tick: value => `${short(value * 100)} %`,
    description: 'Share of the clients of a round whose update was longer than the clip norm.',
  }, 'Near 100 %: the clip norm sets the size of every step. Near 0 %: it could be smaller, and so the noise.')
}

function rankFigure(runs: readonly RunRecord[]): string {
  const drawn = runs.filter(run => run.kind === 'dylora')
  if (drawn.length === 0) return ''
  const series = seriesOf(runs, run => run.kind === 'dylora' ? run.rounds.map(({ round, rank }) => [round, rank ?? NaN] as const) : [])
    .filter(({ points }) => points.length > 0).map(one => ({ ...one, draw: 'dots' as const }))
  const means = drawn.map(run => {
    const ranks = run.rounds.map(({ rank }) => rank ?? 0)
    return `${run.name}: ${number(ranks.reduce((a, b) => a + b, 0) / ranks.length, 3)}`
  })
  return lineFigure({
    id: 'rank', title: 'Rank drawn for each round', x: 'round', y: 'rank', low: 0, series,
    description: `Rank prefix of each round, from public randomness. Means: ${means.join(', ')}.`,
  }, 'From public randomness, never from data, so it costs no privacy. A small rank is a small upload.')
}

function bytesFigure(runs: readonly RunRecord[]): string {
  const bars = runs.map((run, i) => ({
    name: run.name,
    bars: [['down', run.bytesDown], ['up', run.bytesUp]].map(([name, value]) => ({ name: String(name), value: Number(value), text: bytesText(Number(value)), style: i })),
  }))
  const description = runs.map(run => `${run.name}: ${bytesText(run.bytesDown)} down, ${bytesText(run.bytesUp)} up`).join('; ')
  const svg = barPlot({ id: 'bytes', title: 'Bytes of one client in a round', description: `${description}.`, groups: bars })
  const rows = runs.map(run => [run.name, bytesText(run.bytesDown), bytesText(run.bytesUp), bytesText((run.bytesDown + run.bytesUp) * run.rounds.length)])
  return figure('Bytes of one client in a round', 'Mean over the rounds, before compression. Down: what the round reads. Up: the integers of the update.', svg,
    ['run', 'down', 'up', 'both, if in every round'], rows)
}

function lineFigure(plot: LinePlot, caption: string): string {
  const rounds = thinned([...new Set(plot.series.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b), MOST_ROWS)
  const at = plot.series.map(({ points }) => new Map(points))
  const tick = plot.tick ?? (value => number(value, 4))
  const rows = rounds.map(round => [String(round), ...at.map(values => {
    const value = values.get(round)
    return value === undefined || !Number.isFinite(value) ? '' : tick(value)
  })])
  return figure(plot.title, caption, linePlot(plot), [plot.x, ...plot.series.map(({ name }) => name)], rows)
}

function figure(title: string, caption: string, svg: string, header: readonly string[], rows: readonly (readonly string[])[]): string {
  return `<figure><h3>${escapeHtml(title)}</h3><p>${escapeHtml(caption)}</p>${svg}` +
    `<details><summary>The numbers of «${escapeHtml(title)}»</summary><div class="scroll" tabindex="0"><table><thead><tr>${header.map(cell => `<th scope="col">${escapeHtml(cell)}</th>`).join('')}</tr></thead>` +
    `<tbody>${rows.map(([first, ...rest]) => `<tr><th scope="row">${escapeHtml(first)}</th>${rest.map(cell => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`).join('')}</tbody></table></div></details></figure>`
}

/** A series for each run, its style the run's number, so that a run looks the same everywhere. */
function seriesOf(runs: readonly RunRecord[], points: (run: RunRecord) => readonly (readonly [number, number])[]): Series[] {
  return runs.map((run, style) => ({ name: run.name, style, points: points(run) }))
}

function ends(runs: readonly RunRecord[], text: (run: RunRecord) => string): string {
  return `At the end: ${runs.map(run => `${run.name} ${text(run)}`).join(', ')}.`
}

