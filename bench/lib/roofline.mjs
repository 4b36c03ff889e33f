// The roofline plot of a measured profile, as SVG: how fast each kernel computes against how often it uses what it reads.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './context.mjs'

const WIDTH = 760, HEIGHT = 470, LEFT = 64, RIGHT = 190, TOP = 24, BOTTOM = 56

const STYLE = `
svg{background:#fbfaf8;font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
text{fill:#444b54}.t{fill:#1d2126;font-weight:600}.g{stroke:#e4e1da}.a{stroke:#8a8f96}
.f{stroke:#0b6fb8;fill:#0b6fb8}.i{stroke:#c2410c;fill:#c2410c}.b{stroke:#5b6470}.r{fill:none;stroke-width:2}.k{stroke-width:1}
@media(prefers-color-scheme:dark){svg{background:#14171a}text{fill:#b6bdc6}.t{fill:#e8e6e1}.g{stroke:#2a2f35}.a{stroke:#6b737c}
.f{stroke:#62b5f0;fill:#62b5f0}.i{stroke:#ff9563;fill:#ff9563}.b{stroke:#aab3bf}}
`.replaceAll('\n', '')

const n = (value) => String(Math.round(value * 10) / 10)
const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** Kernels that multiply, from the profiles of both bases. */
export function kernelsOf(profiles) {
  const points = []
  for (const { format, operations } of profiles) {
    for (const { name, ms, bytes, floats, integers } of operations) {
      const work = integers || floats
      if (!work || !bytes || points.some((point) => point.name === name) || ms < 0.5) continue
      points.push({ name, format, integer: integers > 0, intensity: work / bytes, rate: work / ms / 1e6 })
    }
  }
  return points
}

/**
 * @param {{ format: string, limit: { f32: number, int: number, copy: number }, operations: object[] }[]} profiles
 * @param {string} where - processor and engine
 */
export function roofline(profiles, where) {
  const points = kernelsOf(profiles)
  const { f32, int, copy } = profiles[0].limit
  const xs = [0.5, 1000], ys = [4, Math.max(120, int * 1.4)]
  const along = (value, [low, high], from, to) => from + (to - from) * Math.log(value / low) / Math.log(high / low)
  const x = (value) => along(Math.min(Math.max(value, xs[0]), xs[1]), xs, LEFT, WIDTH - RIGHT)
  const y = (value) => along(Math.min(Math.max(value, ys[0]), ys[1]), ys, HEIGHT - BOTTOM, TOP)
  const line = (kind, x1, y1, x2, y2) => `<line class="${kind}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}"/>`
  const parts = []
  for (const tick of [1, 10, 100, 1000]) {
    parts.push(line('g', x(tick), TOP, x(tick), HEIGHT - BOTTOM), `<text x="${n(x(tick))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tick}</text>`)
  }
  for (const tick of [5, 10, 20, 50, 100, 200].filter((value) => value <= ys[1])) {
    parts.push(line('g', LEFT, y(tick), WIDTH - RIGHT, y(tick)), `<text x="${LEFT - 8}" y="${n(y(tick) + 4)}" text-anchor="end">${tick}</text>`)
  }
  parts.push(line('a', LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM), line('a', LEFT, TOP, LEFT, HEIGHT - BOTTOM))
  parts.push(`<text x="${n((LEFT + WIDTH - RIGHT) / 2)}" y="${HEIGHT - 14}" text-anchor="middle">operations for each byte read or written</text>`)
  parts.push(`<text transform="translate(16 ${n((TOP + HEIGHT - BOTTOM) / 2)}) rotate(-90)" text-anchor="middle">10⁹ operations a second</text>`)
  parts.push(line('r b', x(xs[0]), y(copy * xs[0]), x(int / copy), y(int)))
  const roofs = [{ kind: 'f', rate: f32, name: 'limit of f32' }, { kind: 'i', rate: int, name: 'limit of integers' }]
  for (const { kind, rate } of roofs) parts.push(line(`r ${kind}`, x(rate / copy), y(rate), x(xs[1]), y(rate)))
  parts.push(`<text x="${n(x(1) + 14)}" y="${n(y(copy))}">copying: ${copy.toFixed(0)} GB/s</text>`)
  // labels beside the plot, from the fastest down, none on another
  let last = -Infinity
  for (const point of [...points, ...roofs].sort((a, b) => b.rate - a.rate)) {
    const py = y(point.rate), label = Math.max(py + 4, last + 16)
    last = label
    parts.push(`<text${point.kind ? ' class="t"' : ''} x="${WIDTH - RIGHT + 8}" y="${n(label)}">${escape(point.name)}: ${point.rate.toFixed(0)}</text>`)
    if (point.kind) continue
    const px = x(point.intensity)
    parts.push(`<g class="${point.integer ? 'i' : 'f'}"><title>${escape(`${point.name}: ${point.rate.toFixed(1)} at ${point.intensity.toFixed(1)} a byte`)}</title>` +
      `<circle class="k" cx="${n(px)}" cy="${n(py)}" r="5"/><line class="k" stroke-dasharray="1 3" x1="${n(px + 6)}" y1="${n(py)}" x2="${WIDTH - RIGHT + 4}" y2="${n(label - 4)}"/></g>`)
  }
  const described = points.map((point) => `${point.name} ${point.rate.toFixed(0)}`).join(', ')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="t d">` +
    `<title id="t">Roofline of a training step</title><desc id="d">${escape(`${where}. Limits: f32 ${f32.toFixed(0)}, integers ${int.toFixed(0)}, copying ${copy.toFixed(0)} GB/s. ${described}.`)}</desc>` +
    `<style>${STYLE}</style>${parts.join('')}</svg>\n`
}

/** The plot of a record of the bench; undefined where it has no profile. */
export function rooflineOf({ results, machine }) {
  const rows = results.find(({ part }) => part === 'profile')?.rows ?? []
  const profiles = rows.flatMap(({ data }) => data?.operations ? [data] : [])
  if (profiles.length === 0) return undefined
  return roofline(profiles, `${machine.cpu}, ${rows[0].on}`)
}

/** Writes the plot of a record to docs/images. */
export function drawRoofline(record) {
  const svg = rooflineOf(record), file = join(root, 'docs/images/roofline.svg')
  if (svg === undefined) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, svg)
}
