// Draws the pictures of docs/privacy.md from what the built package computes: `node scripts/docs/privacy.mjs [NAME ...]`.
// Everything is seeded; the same package draws the same pictures. It also prints the numbers that the text quotes.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { axes, picture } from './plot.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href)
const accountant = await dist('privacy/accountant/index.js')
const { normalCdf, normalDensity, normalQuantile } = await dist('privacy/accountant/num/normal.js')
const { Aggregate, chooseLattice, encode, release } = await dist('privacy/mechanism/index.js')
const { auditTraining, membershipAttack, SeededNoise } = await dist('simulation/index.js')
const { random } = await dist('random.js')
const { createEngine } = await dist('wasm/engine.js')
const { node } = await dist('runtime/node.js')

const folder = join(root, 'docs/images')
mkdirSync(folder, { recursive: true })
const save = (name, size, plots) => writeFileSync(join(folder, `privacy-${name}.svg`), picture(size, plots))
const range = (from, to, steps) => Array.from({ length: steps + 1 }, (_, i) => from + (to - from) * i / steps)
const percent = (share) => `${Number((share * 100).toPrecision(3))} %`
const say = (...words) => console.log(...words)
const where = { unit: 'client', adjacency: 'add-remove' }

/** The deployment that the text speaks of. */
const POPULATION = 1_000_000, COHORT = 5000, DELTA = 1e-6
const spent = (noiseMultiplier, rounds) =>
  accountant.pldAccountant(where).compose(accountant.poissonGaussian({ noiseMultiplier, samplingRate: COHORT / POPULATION }), rounds)

function evidence() {
  const mu = accountant.fittedMu(accountant.privacyCurve(spent(0.83244, 1500), DELTA), DELTA)
  const threshold = normalQuantile(0.99), top = 0.46
  say(`evidence: mu ${mu}, found at 1 % false alarms ${normalCdf(mu - threshold)}`)
  const plot = axes({
    left: 40, top: 66, width: 640, height: 200, x: { from: -3.6, to: 4.2 }, y: { from: 0, to: top },
    title: 'All that the attacker\'s evidence can look like', xName: 'evidence that you took part, in standard deviations of the noise', xTicks: [-3, -2, -1, 0, 1, 2, 3, 4],
  })
  const xs = range(-3.6, 4.2, 160)
  const out = xs.map((x) => [x, normalDensity(x)]), inside = xs.map((x) => [x, normalDensity(x - mu)])
  plot.area(inside.filter(([x]) => x >= threshold), 2)
  plot.area(out.filter(([x]) => x >= threshold), 1)
  plot.line(out, 1)
  plot.line(inside, 2)
  plot.line([[threshold, 0], [threshold, top * 0.62]], 0, true)
  plot.text(-0.75, 0.41, 'without you', 1, 'end')
  plot.text(mu + 0.75, 0.41, 'with you', 2)
  for (const [i, words] of ['beyond it, of 1,000:', '10 if you are out,', `${(1000 * normalCdf(mu - threshold)).toFixed(0)} if you are in`].entries()) plot.text(threshold + 0.08, top * (0.58 - 0.08 * i), words, 0)
  save('evidence', { width: 720, height: 330, title: 'Evidence with and without you', description: `Two normal densities ${mu.toFixed(2)} standard deviations apart overlap almost wholly.` }, [plot])
}

function rates() {
  const plot = axes({
    left: 76, top: 66, width: 600, height: 300, x: { from: 1e-4, to: 1, log: true }, y: { from: 1e-4, to: 1, log: true }, yName: 'members found, at most',
    xName: 'others accused wrongly', xTicks: [1e-4, 1e-3, 1e-2, 0.1, 1], yTicks: [1e-4, 1e-3, 1e-2, 0.1, 1], xText: percent, yText: percent,
    title: 'The best attacker there can be',
  })
  const fprs = range(-4, 0, 48).map((power) => 10 ** power)
  plot.line([[1e-4, 1e-4], [1, 1]], 0, true)
  plot.text(0.012, 0.0075, 'guessing', 0)
  for (const [noise, colour, at] of [[1.6, 3, 0.12], [0.83244, 1, 0.25], [0.5, 2, 0.52]]) {
    const curve = accountant.privacyCurve(spent(noise, 1500), DELTA)
    plot.line(fprs.map((fpr) => [fpr, Math.min(1, curve.truePositiveRate(fpr))]), colour)
    plot.text(1.2e-4, at, `noise ${noise}: ε = ${(Math.ceil(curve.epsilon * 100) / 100).toFixed(2)}`, colour)
    say(`rates: noise ${noise}, epsilon ${curve.epsilon}, found at 1 % ${curve.truePositiveRate(0.01)}, at 0.1 % ${curve.truePositiveRate(0.001)}`)
  }
  save('rates', { width: 720, height: 440, title: 'Members found against false alarms, by epsilon', description: 'Upper bounds for three amounts of noise, on logarithmic axes.' }, [plot])
}

async function sums() {
  const engine = await createEngine(node())
  const seed = new Uint8Array(32).fill(5), dimension = 20_000, shown = 300, noiseMultiplier = 0.83244, clip = 1
  const plots = [50, 500, 5000].map((cohort, i) => {
    const lattice = chooseLattice({ clip, cohort, dimension, noiseMultiplier })
    // every client sends the same update, half of the coordinates up and half down
    const update = new Float32Array(dimension).map((_, k) => (k % shown < shown / 2 ? 1 : -1) * clip / Math.sqrt(dimension))
    const aggregate = new Aggregate(engine, lattice)
    for (let client = 0; client < cohort; client++) aggregate.add(encode(engine, lattice, update, { publicSeed: seed, round: 1, client }).values)
    const { mean } = release(engine, aggregate, new SeededNoise(1), { publicSeed: seed, round: 1, simulation: true })
    const cosine = mean.reduce((sum, x, k) => sum + x * update[k], 0) / Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0))
    say(`sums: cohort ${cohort}, noise over signal per coordinate ${noiseMultiplier / cohort * Math.sqrt(dimension)}, cosine ${cosine}`)
    const plot = axes({
      left: 60 + i * 222, top: 66, width: 186, height: 220, x: { from: 0, to: shown }, y: { from: -6, to: 6 },
      title: `${cohort.toLocaleString('en')} people`, xName: 'coordinate', xTicks: [0, shown], yTicks: i === 0 ? [-4, -1, 0, 1, 4] : [-1, 1], yText: i === 0 ? String : () => '',
    })
    const unit = clip / Math.sqrt(dimension)
    plot.dots([...mean.subarray(0, shown)].map((x, k) => [k, x / unit]), 1)
    plot.line([...update.subarray(0, shown)].map((x, k) => [k, x / unit]), 2)
    return plot
  })
  save('sums', { width: 720, height: 350, title: 'The same noise on sums of more and more people', description: 'Released means of 20,000 coordinates, the first 300 shown: noise hides the mean of 50 people and hardly shows in that of 5,000.' }, plots)
}

function budget() {
  const plot = axes({
    left: 60, top: 66, width: 480, height: 260, x: { from: 0, to: 2000 }, y: { from: 0, to: 4 }, yName: 'ε spent', title: 'Where the budget goes (5,000 out of a million a round, δ = 10⁻⁶)',
    xName: 'rounds', xTicks: [0, 500, 1000, 1500, 2000], yTicks: [0, 1, 2, 3, 4],
  })
  for (const [noise, colour] of [[0.7, 2], [0.86389, 1], [1.2, 3]]) {
    const points = [1, 10, 50, 100, 200, 400, 600, 800, 1000, 1250, 1500, 1750, 2000].map((rounds) => [rounds, spent(noise, rounds).epsilon(DELTA)])
    plot.line([[0, 0], ...points], colour)
    plot.text(2030, points.at(-1)[1] - 0.04, `noise ${Number(noise.toFixed(2))}: ε = ${(Math.ceil(points.at(-1)[1] * 100) / 100).toFixed(2)}`, colour)
    say(`budget: noise ${noise}: ${points.map(([rounds, epsilon]) => `${rounds} ${epsilon.toFixed(3)}`).join(', ')}`)
  }
  plot.line([[0, 2], [2000, 2]], 0, true)
  plot.text(1000, 2.08, 'a budget of 2', 0)
  save('budget', { width: 720, height: 400, title: 'Epsilon against rounds', description: 'Epsilon grows about with the square root of the number of rounds; more noise makes it grow slower.' }, [plot])
}

const TOPICS = {
  work: ['meeting', 'tomorrow', 'reply', 'list'], spam: ['win', 'free', 'money', 'click'],
  weather: ['rain', 'sun', 'cloud', 'wind'], sport: ['goal', 'ball', 'team', 'match'], food: ['bread', 'milk', 'soup', 'rice'],
}

/** People with one text of one topic; half of the labels have nothing to do with it. */
function people(count, randomShare) {
  const draw = random('pictures', 'people'), labels = Object.keys(TOPICS)
  const any = () => labels[draw.below(labels.length)]
  return Array.from({ length: count }, (_, i) => {
    const topic = any()
    const words = Array.from({ length: 8 + draw.below(9) }, () => TOPICS[draw.uniform() < 0.7 ? topic : any()][draw.below(4)])
    return { id: `person ${i}`, examples: [{ text: words.join(' '), label: draw.uniform() < randomShare ? any() : topic }] }
  })
}

const training = {
  host: node(), threads: 1, seed: 3, evaluateEvery: 1000, test: [{ text: 'rain', label: 'weather' }],
  task: {
    model: join(root, 'test/fixtures/tiny-bert'), labels: Object.keys(TOPICS),
    lora: { rank: 8, alpha: 16, sites: ['query', 'key', 'value', 'attention.output.dense', 'intermediate.dense', 'output.dense'], seed: 7 },
  },
  method: { kind: 'lora' }, local: { epochs: 1, batchSize: 1, learningRate: 0.1 }, server: { optimizer: 'adam', learningRate: 0.02 },
}

async function membership() {
  const clients = people(120, 0.5)
  const settings = { ...training, clients, rounds: 60, cohort: clients.length }
  const open = await membershipAttack({ simulation: settings, references: 0 })
  const closed = await membershipAttack({
    simulation: { ...settings, privacy: { ...where, epsilon: 2, delta: 1e-3, population: clients.length, clip: 0.3 } }, references: 0,
  })
  for (const { promise, accuracy, attacks: [{ auc, rates }] } of [open, closed]) say('membership:', JSON.stringify({ epsilon: promise?.epsilon, accuracy, auc, rates }))
  const plot = axes({
    left: 70, top: 66, width: 340, height: 300, x: { from: 0, to: 1 }, y: { from: 0, to: 1 }, yName: 'members found', title: 'Who was in the training? 60 of 120 people, one short text each',
    xName: 'others accused wrongly', xTicks: [0, 0.25, 0.5, 0.75, 1], yTicks: [0, 0.25, 0.5, 0.75, 1], xText: percent, yText: percent,
  })
  const points = ({ attacks }) => attacks[0].points.map(({ fpr, tpr }) => [fpr, tpr])
  plot.line([[0, 0], [1, 1]], 0, true)
  plot.line(closed.promise.limit.map(({ fpr, tpr }) => [fpr, tpr]), 3)
  plot.line(points(closed), 1)
  plot.line(points(open), 2)
  const aside = axes({ left: 430, top: 66, width: 270, height: 300, x: { from: 0, to: 1 }, y: { from: 0, to: 1 }, xTicks: [], xName: '' })
  aside.parts.splice(0, aside.parts.length)
  const area = ({ attacks: [{ auc }] }) => `area ${auc.value.toFixed(2)} (${auc.low.toFixed(2)} to ${auc.high.toFixed(2)})`
  aside.text(0, 0.95, 'no privacy', 2)
  aside.text(0, 0.885, area(open), 2)
  aside.text(0, 0.73, 'what ε = 2 allows at most', 3)
  aside.text(0, 0.5, 'private, ε = 2', 1)
  aside.text(0, 0.435, area(closed), 1)
  aside.text(0, 0.25, 'guessing: area 0.5', 0)
  save('membership', { width: 720, height: 440, title: 'Membership inference with and without privacy', description: 'The attack finds members of the open model and guesses on the private one.' }, [plot, aside])
}

async function canaries() {
  const clients = people(24, 0), rounds = 4, delta = 1e-5
  const noise = accountant.calibrateNoise({ ...where, delta, rounds, samplingRate: 1, epsilon: 2 })
  const plots = []
  for (const [i, [factor, title]] of [[1, 'claimed noise'], [10, 'a tenth of it']].entries()) {
    const { scores, atLeast, refuted } = await auditTraining({
      simulation: { ...training, method: { kind: 'dylora' }, clients, rounds, cohort: clients.length, privacy: { ...where, delta, noiseMultiplier: noise / factor, population: 24, clip: 0.3 } },
      canaries: 600, claim: { epsilon: 2, delta },
    })
    say(`canaries: ${title}: at least ${JSON.stringify(atLeast)}, refuted ${refuted}`)
    const width = [1, 0.12][i], reach = [7, 1.3][i]
    const plot = axes({
      left: 40 + i * 350, top: 66, width: 300, height: 200, x: { from: 0.5 - reach, to: 0.5 + reach }, y: { from: 0, to: [0.24, 0.3][i] },
      title: `${title}: ε ≥ ${(Math.floor(atLeast.dp * 100) / 100).toFixed(2)}, ${refuted ? 'refuted' : 'stands'}`, xName: 'score of a canary', xTicks: [0, 1],
    })
    for (const [kind, colour] of [['outside', 1], ['inside', 2]]) {
      const counts = new Map()
      for (const score of scores[kind]) {
        const bin = Math.round(score / width) * width
        counts.set(bin, (counts.get(bin) ?? 0) + 1 / scores[kind].length)
      }
      plot.bars([...counts].sort(([a], [b]) => a - b), width, colour)
    }
    plot.text(0.5 - reach * 0.98, [0.24, 0.3][i] * 0.92, 'out', 1)
    plot.text(0.5 + reach * 0.98, [0.24, 0.3][i] * 0.92, 'in', 2, 'end')
    plots.push(plot)
  }
  save('canaries', { width: 720, height: 330, title: 'Scores of canaries', description: 'With the claimed noise the scores of canaries that were in and out overlap; with a tenth of it they part.' }, plots)
}

const pictures = { evidence, rates, sums, budget, canaries, membership }
const asked = process.argv.slice(2)
for (const [name, draw] of Object.entries(pictures)) if (asked.length === 0 || asked.includes(name)) await draw()
