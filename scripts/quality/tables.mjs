// Results as the tables of docs/quality.md.

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
const off = (cosine) => cosine >= 0.9999995 ? '1.000000' : cosine.toFixed(6)

/** Cosines with f32. */
export function cosineTable(rows) {
  return table(['model', 'base', 'logits', 'gradients: median', 'least', 'of'],
    rows.map(({ model, format, logits, least, median }) => [model, format, off(logits), off(median), off(least.cosine), `\`${least.name}\``]))
}

/** Accuracy, and its difference to f32. */
export function accuracyTable(rows) {
  return table(['model', 'base', 'accuracy', 'less f32, points', 'decisions that differ', 'within 0.3 points'],
    rows.map(({ model, format, seeds, mails, accuracy, difference, error, changed }) => [
      model, format, `${accuracy.mean.toFixed(2)} % (${seeds === 1 ? '1 seed' : `${seeds} seeds`}, ${mails} mails)`,
      format === 'f32' ? '' : `${signed(difference)} ± ${error.toFixed(2)}`, format === 'f32' ? '' : `${changed.toFixed(2)} %`, format === 'f32' ? '' : verdict(difference, error),
    ]))
}

/** What a difference with its standard error says about the bound. */
export function verdict(difference, error) {
  if (Math.abs(difference) + 2 * error <= 0.3) return 'yes'
  if (Math.abs(difference) <= 0.3) return 'yes, though two standard errors reach beyond'
  return Math.abs(difference) - 2 * error > 0.3 ? 'no' : 'no, though within two standard errors'
}

const signed = (value) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
const sizes = [['one', 'Infinity'], ['256', '256'], ['128', '128'], ['64', '64']]

/** Errors of the layers and cosines of the whole, by block size. */
export function blockTables(found) {
  const percent = (value) => `${(100 * value).toFixed(2)} %`, small = (value) => value === undefined ? '' : value.toExponential(1)
  const layers = found.flatMap(({ model, layers }) => kinds(layers).map(([kind, some]) => {
    const median = (of, terms) => middle(some.map((layer) => layer[of]?.[terms]).filter((value) => value !== undefined))
    return [model, `\`${kind}\` (${some.length})`, Math.max(...some.map(({ spread }) => spread.most)).toFixed(0), Math.max(...some.map(({ channels }) => channels)).toFixed(0),
      ...sizes.map(([, terms]) => percent(median('weights', terms))), small(median('activations', 'Infinity')), small(median('activations', '128')),
      small(median('gradients', 'Infinity')), small(median('gradients', '128'))]
  }))
  const whole = found.flatMap(({ whole }) => whole.map(({ model, kind, terms, logits, least, median }) => [
    model, kind === 'all' ? 'all three' : kind, terms === null || terms === Infinity ? 'one' : terms, lost(logits), lost(median), lost(least.cosine),
  ]))
  return `${table(['model', 'layers', 'spread of a weight\'s row', 'largest channel of x', 'weights, one scale', '256', '128', '64', 'activations, one', '128', 'gradients, one', '128'], layers)}

1 − cosine with f32 of the whole model, where only one operand, or all three, are rounded:

${table(['model', 'rounded', 'terms a scale', 'logits', 'gradients: median', 'most'], whole)}`
}

const lost = (cosine) => Math.max(0, 1 - cosine).toExponential(1)

const middle = (values) => values.length === 0 ? undefined : [...values].sort((a, b) => a - b)[values.length >> 1]

/** Layers that have the same place: `encoder.layer.3.output.dense` and its like. */
function kinds(layers) {
  const groups = new Map()
  for (const layer of layers) {
    const kind = layer.site.replace(/^.*?\.\d+\./, '')
    groups.set(kind, [...groups.get(kind) ?? [], layer])
  }
  return [...groups]
}

/** The page with its tables replaced: each stands between `quality: NAME` and `quality: end`. */
export function withTables(page, tables) {
  let out = page
  for (const [name, text] of Object.entries(tables)) {
    const marks = new RegExp(`(<!-- quality: ${name} -->\\n)[^]*?(<!-- quality: end -->)`)
    if (!marks.test(out)) throw new Error(`docs/quality.md expected <!-- quality: ${name} --> and <!-- quality: end -->, got none`)
    out = out.replace(marks, (_, begin, end) => `${begin}${text}\n${end}`)
  }
  return out
}
