/**
 * Plots as SVG text: lines, dots and bars. Colours come from the page (classes s0 to s5), so that one plot serves light
 * and dark; series differ in dash and marker too, for those who do not see the colours.
 * @module
 */

/** Points of one series. NaN in y breaks the line. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Number of its colour, dash and marker: the same run has the same in every plot. */
  readonly style: number
  /** `dots`: no line. */
  readonly draw?: 'line' | 'dots'
}

/** What a plot of lines shows. */
export interface LinePlot {
  readonly id: string
  readonly title: string
  /** One sentence for those who do not see the plot. */
  readonly description: string
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
  /** Ends of the axis of y, or a little beyond; else from the data. */
  readonly low?: number
  readonly high?: number
  readonly tick?: (y: number) => string
  /** A level line and its name. */
  readonly mark?: { readonly y: number, readonly name: string }
}

const WIDTH = 480, HEIGHT = 270, LEFT = 56, RIGHT = 14, TOP = 14, BOTTOM = 42
const MOST_POINTS = 240
/** Series above this many points get no marker on each. */
const MARKED = 30

/** Text as it may stand in HTML, SVG and attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd')
}

/** A plot of lines. */
export function linePlot(plot: LinePlot): string {
  const { series, mark, tick = short } = plot
  const all = series.flatMap(({ points }) => points).filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
  const xs = all.map(([x]) => x), ys = [...all.map(([, y]) => y), ...(mark ? [mark.y] : [])]
  const xTicks = ticks(Math.min(0, ...xs), Math.max(1, ...xs), 5).filter(Number.isInteger)
  const yTicks = ticks(plot.low ?? Math.min(...ys, 0), plot.high ?? Math.max(...ys, 1e-9), 4)
  const x = scale(0, Math.max(1, ...xs), LEFT, WIDTH - RIGHT)
  const y = scale(yTicks[0], yTicks[yTicks.length - 1], HEIGHT - BOTTOM, TOP)
  const grid = [
    ...yTicks.map(value => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(y(value))}" y2="${n(y(value))}"/>` +
      `<text x="${LEFT - 7}" y="${n(y(value) + 4)}" text-anchor="end">${escapeHtml(tick(value))}</text>`),
    ...xTicks.filter(value => value <= Math.max(1, ...xs)).map(value => `<text x="${n(x(value))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${escapeHtml(short(value))}</text>`),
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>`,
    `<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 5}" text-anchor="middle">${escapeHtml(plot.x)}</text>`,
  ]
  const level = mark ? [`<line class="mark" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(y(mark.y))}" y2="${n(y(mark.y))}"/>` +
    `<text class="over" x="${LEFT + 6}" y="${n(y(mark.y) - 5)}">${escapeHtml(mark.name)}</text>`] : []
  return frame(plot.id, plot.title, plot.description, HEIGHT, [...grid, ...series.map(one => drawSeries(one, x, y, tick)), ...level])
}

function drawSeries({ name, points, style, draw }: Series, x: (v: number) => number, y: (v: number) => number, tick: (y: number) => string): string {
  const few = thinned(points)
  let path = '', open = false
  for (const [px, py] of few) {
    if (!Number.isFinite(py)) open = false
    else {
      path += `${open ? 'L' : 'M'}${n(x(px))} ${n(y(py))}`
      open = true
    }
  }
  const every = few.length <= MARKED || draw === 'dots' ? 1 : Math.ceil(few.length / 10)
  const dots = few.filter(([, py], i) => Number.isFinite(py) && (i % every === 0 || i === few.length - 1))
    .map(([px, py]) => `<g><title>${escapeHtml(`${name}: ${short(px)}, ${tick(py)}`)}</title>${marker(style, x(px), y(py), draw === 'dots' ? 3.4 : 4)}</g>`)
  return `<g class="s${style % 6}">${draw === 'dots' ? '' : `<path class="line" d="${path}"/>`}${dots.join('')}</g>`
}

/** A sign for a series: circle, square, triangle, diamond, in turn. */
export function marker(style: number, cx: number, cy: number, r: number): string {
  const at = (dx: number, dy: number) => `${n(cx + dx)},${n(cy + dy)}`
  switch (style % 4) {
    case 0: return `<circle cx="${n(cx)}" cy="${n(cy)}" r="${n(r)}"/>`
    case 1: return `<rect x="${n(cx - r * 0.9)}" y="${n(cy - r * 0.9)}" width="${n(r * 1.8)}" height="${n(r * 1.8)}"/>`
    case 2: return `<polygon points="${at(0, -r * 1.2)} ${at(r * 1.1, r * 0.8)} ${at(-r * 1.1, r * 0.8)}"/>`
    default: return `<polygon points="${at(0, -r * 1.3)} ${at(r * 1.3, 0)} ${at(0, r * 1.3)} ${at(-r * 1.3, 0)}"/>`
  }
}

/** One horizontal bar. */
export interface Bar { readonly name: string, readonly value: number, readonly text: string, readonly style: number }

/** Bars in groups, each group under its name. */
export function barPlot(
  { id, title, description, groups }: { id: string, title: string, description: string, groups: readonly { readonly name: string, readonly bars: readonly Bar[] }[] },
): string {
  const most = Math.max(1e-9, ...groups.flatMap(({ bars }) => bars.map(bar => bar.value)))
  const width = scale(0, most, 0, WIDTH - 150)
  let top = 4
  const parts: string[] = []
  for (const { name, bars } of groups) {
    parts.push(`<text class="group" x="0" y="${top + 13}">${escapeHtml(name)}</text>`)
    top += 20
    for (const bar of bars) {
      parts.push(`<g class="s${bar.style % 6}"><title>${escapeHtml(`${name}, ${bar.name}: ${bar.text}`)}</title>` +
        `<text x="52" y="${top + 13}" text-anchor="end">${escapeHtml(bar.name)}</text>` +
        `<rect class="bar" x="58" y="${top + 2}" width="${n(Math.max(1.5, width(bar.value)))}" height="14" rx="2"/></g>` +
        `<text x="${n(64 + Math.max(1.5, width(bar.value)))}" y="${top + 14}">${escapeHtml(bar.text)}</text>`)
      top += 20
    }
    top += 8
  }
  return frame(id, title, description, top, parts)
}

function frame(id: string, title: string, description: string, height: number, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">` +
    `<title id="${id}-title">${escapeHtml(title)}</title><desc id="${id}-desc">${escapeHtml(description)}</desc>${parts.join('')}</svg>`
}

/** At most some hundred points, first and last among them. */
export function thinned<T>(points: readonly T[], most = MOST_POINTS): T[] {
  if (points.length <= most) return [...points]
  return Array.from({ length: most }, (_, i) => points[Math.round(i * (points.length - 1) / (most - 1))])
}

/** Round numbers that cover low to high. */
export function ticks(low: number, high: number, about: number): number[] {
  const span = high > low ? high - low : Math.max(1e-9, Math.abs(high))
  const raw = span / about
  const unit = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * unit).find(candidate => candidate >= raw * 0.999) ?? 10 * unit
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to > from ? to - from : 1
  return value => start + (Math.min(to, Math.max(from, value)) - from) / span * (end - start)
}

/** A number as an axis shows it. */
export function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)))
}

const n = (value: number): string => String(Math.round(value * 100) / 100)
