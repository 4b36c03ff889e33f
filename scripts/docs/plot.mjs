// Plots for the documents as SVG files that look right on light and dark ground: they carry their own.

const STYLE = `
  svg { --ground: #fdfcfa; --rule: #d8d4cc; --grid: #ebe8e2; --ink: #1d2126; --quiet: #5a626c; --c0: #5b6470; --c1: #0b6fb8; --c2: #c2410c; --c3: #0f7b5f; --c4: #8b3fa8 }
  @media (prefers-color-scheme: dark) {
    svg { --ground: #171a1d; --rule: #3a4047; --grid: #2a2f35; --ink: #e8e6e1; --quiet: #a3abb5; --c0: #aab3bf; --c1: #62b5f0; --c2: #ff9563; --c3: #4fd0a9; --c4: #d49aec }
  }
  text { font: 14px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--quiet) }
  .title { font-weight: 600; fill: var(--ink) } .name { font-weight: 600 }
  .ground { fill: var(--ground); stroke: var(--rule) } .grid { stroke: var(--grid) } .axis { stroke: var(--quiet) }
  .line { fill: none; stroke-width: 2.4; stroke-linejoin: round } .thin { stroke-width: 1.2; stroke-dasharray: 5 4 } .area { stroke: none; opacity: .22 } .dot { stroke: none; opacity: .6 }
`

const n = (value) => String(Math.round(value * 100) / 100)
const escape = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** A plot within a picture: axes, and functions that draw into it. */
export function axes({ left, top, width, height, x, y, title, xName, yName, xTicks, yTicks, xText = String, yText = String }) {
  const scale = ({ from, to, log }, start, end) => {
    const f = log ? Math.log10 : (value) => value
    return (value) => start + (f(Math.min(Math.max(value, Math.min(from, to)), Math.max(from, to))) - f(from)) / (f(to) - f(from)) * (end - start)
  }
  const at = scale(x, left, left + width), up = scale(y, top + height, top)
  const parts = [
    ...(yTicks ?? []).map((v) => `<line class="grid" x1="${left}" x2="${left + width}" y1="${n(up(v))}" y2="${n(up(v))}"/><text x="${left - 8}" y="${n(up(v) + 5)}" text-anchor="end">${escape(yText(v))}</text>`),
    `<line class="axis" x1="${left}" x2="${left + width}" y1="${top + height}" y2="${top + height}"/>`,
    ...xTicks.map((v) => `<line class="axis" x1="${n(at(v))}" x2="${n(at(v))}" y1="${top + height}" y2="${top + height + 5}"/><text x="${n(at(v))}" y="${top + height + 21}" text-anchor="middle">${escape(xText(v))}</text>`),
    `<text x="${left + width / 2}" y="${top + height + 43}" text-anchor="middle">${escape(xName)}</text>`,
    ...(yName ? [`<text x="${left - 8}" y="${top - 12}">${escape(yName)}</text>`] : []),
    ...(title ? [`<text class="title" x="${left}" y="${top - (yName ? 34 : 14)}">${escape(title)}</text>`] : []),
  ]
  const path = (points) => points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${n(at(a))} ${n(up(b))}`).join('')
  return {
    parts,
    line(points, colour, thin = false) { parts.push(`<path class="line${thin ? ' thin' : ''}" style="stroke:var(--c${colour})" d="${path(points)}"/>`) },
    area(points, colour) { parts.push(`<path class="area" style="fill:var(--c${colour})" d="${path([[points[0][0], y.from], ...points, [points.at(-1)[0], y.from]])}Z"/>`) },
    dots(points, colour, r = 1.6) { parts.push(...points.map(([a, b]) => `<circle class="dot" style="fill:var(--c${colour})" cx="${n(at(a))}" cy="${n(up(b))}" r="${r}"/>`)) },
    bars(points, width, colour) { parts.push(...points.map(([a, b]) => `<rect class="area" style="fill:var(--c${colour});opacity:.55" x="${n(at(a - width / 2))}" width="${n(at(a + width / 2) - at(a - width / 2))}" y="${n(up(b))}" height="${n(up(y.from) - up(b))}"/>`)) },
    text(a, b, words, colour, anchor = 'start') { parts.push(`<text class="name" style="fill:var(--${colour === undefined ? 'ink' : `c${colour}`})" x="${n(a > x.to ? left + width + 10 : at(a))}" y="${n(up(b))}" text-anchor="${anchor}">${escape(words)}</text>`) },
  }
}

/** The picture of some plots. */
export function picture({ width, height, title, description }, plots) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">${escape(title)}</title><desc id="d">${escape(description)}</desc><style>${STYLE}</style>
<rect class="ground" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${plots.flatMap(({ parts }) => parts).join('\n')}
</svg>
`
}
