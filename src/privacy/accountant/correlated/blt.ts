/**
 * Choosing the parameters of a buffered linear Toeplitz strategy by its error.
 * @module
 */
import { anInteger } from '../../../assert.ts'
import type { MatrixStrategy, Participation } from '../event.ts'
import { exp, log } from '../num/elementary.ts'

/** Scales ω and decays θ of the buffers, C = I + Σ_i ω_i (shifted powers of θ_i). */
type Blt = Extract<MatrixStrategy, { kind: 'blt' }>

/** ln(sensitivity² · error²) and its gradient in (ω_1 ..., θ_1 ...), by forward differentiation of the two recurrences. */
function lossOf(
  scale: Float64Array, decay: Float64Array, rounds: number, separation: number, participations: number,
): { loss: number, gradient: Float64Array } {
  const d = scale.length
  const gradient = new Float64Array(2 * d)
  const sensitivity = sensitivityPart(scale, decay, rounds, separation, participations, gradient)
  const error = errorPart(scale, decay, rounds, gradient)
  return { loss: log(sensitivity) + log(error), gradient }
}

/** Squared sensitivity for participations `separation` apart; adds its logarithmic gradient. */
function sensitivityPart(
  scale: Float64Array, decay: Float64Array, rounds: number, separation: number, participations: number,
  gradient: Float64Array,
): number {
  const d = scale.length
  const columns = Array.from({ length: 2 * d + 1 }, () => new Float64Array(rounds))
  columns[0][0] = 1
  for (let i = 0; i < d; i++) {
    let term = 1
    let slope = 0
    for (let t = 1; t < rounds; t++) {
      columns[0][t] += scale[i] * term
      columns[1 + i][t] = term
      columns[1 + d + i][t] = scale[i] * slope
      slope = slope * decay[i] + term
      term *= decay[i]
    }
  }
  if (participations > 1) {
    // Prefix over participations, in place from the end: v[t] = Σ_j c[t - j s].
    for (const column of columns) {
      const once = column.slice()
      for (let j = 1; j < participations; j++) {
        for (let t = j * separation; t < rounds; t++) column[t] += once[t - j * separation]
      }
    }
  }
  let square = 0
  const slopes = new Float64Array(2 * d)
  for (let t = 0; t < rounds; t++) {
    const value = columns[0][t]
    square += value * value
    for (let p = 0; p < 2 * d; p++) slopes[p] += 2 * value * columns[1 + p][t]
  }
  for (let p = 0; p < 2 * d; p++) gradient[p] += slopes[p] / square
  return square
}

/** Largest squared row norm of A C^-1, that of the last prefix sum; adds its logarithmic gradient. */
function errorPart(scale: Float64Array, decay: Float64Array, rounds: number, gradient: Float64Array): number {
  const d = scale.length
  const state = new Float64Array(d)
  const slopes = Array.from({ length: 2 * d }, () => new Float64Array(d))
  const sums = new Float64Array(2 * d)
  const total = new Float64Array(2 * d)
  let prefix = 0
  let square = 0
  for (let t = 0; t < rounds; t++) {
    let x = t === 0 ? 1 : 0
    for (let i = 0; i < d; i++) x -= scale[i] * state[i]
    prefix += x
    square += prefix * prefix
    for (let p = 0; p < 2 * d; p++) {
      const slope = slopes[p]
      let dx = p < d ? -state[p] : 0
      for (let i = 0; i < d; i++) dx -= scale[i] * slope[i]
      for (let i = 0; i < d; i++) slope[i] = decay[i] * slope[i] + dx + (p === d + i ? state[i] : 0)
      sums[p] += dx
      total[p] += 2 * prefix * sums[p]
    }
    for (let i = 0; i < d; i++) state[i] = decay[i] * state[i] + x
  }
  for (let p = 0; p < 2 * d; p++) gradient[p] += total[p] / square
  return square
}

/**
 * The strategy of least maximum error over `rounds` prefix sums with this many buffers (McMahan, Xu and Zhang 2024,
 * section 4): BFGS on the exact gradient, over ln ω and ln(θ / (1 - θ)).
 * @param buffers - 1 to 5; three or four are within a few per cent of the best Toeplitz strategy
 * @returns the strategy, and its squared error relative to independent noise of the same sensitivity 1
 */
export function optimalBlt(options: { buffers: number } & Participation): { strategy: Blt, squaredError: number } {
  const d = anInteger('buffers', options.buffers, 1, 5)
  const rounds = anInteger('rounds', options.rounds, 2, 1 << 20)
  const separation = anInteger('minSeparation', options.minSeparation, 1)
  const most = Math.ceil(rounds / separation)
  const participations = Math.min(most, anInteger('maxParticipations', options.maxParticipations ?? most, 1))
  const split = (z: Float64Array): [Float64Array, Float64Array] =>
    [z.subarray(0, d).map(exp), z.subarray(d).map((v) => 1 / (1 + exp(-v)))]
  const evaluate = (z: Float64Array): { loss: number, gradient: Float64Array } => {
    const [scale, decay] = split(z)
    const { loss, gradient } = lossOf(scale, decay, rounds, separation, participations)
    for (let i = 0; i < d; i++) {
      gradient[i] *= scale[i]
      gradient[d + i] *= decay[i] * (1 - decay[i])
    }
    return { loss, gradient }
  }
  const start = new Float64Array(2 * d)
  for (let i = 0; i < d; i++) {
    // Time scales spread evenly between one round and all of them, with the weights of 1/sqrt(πk).
    const rate = exp(-log(rounds) * (i + 0.5) / d)
    start[i] = log(0.4 * Math.sqrt(rate))
    start[d + i] = log((1 - rate) / rate)
  }
  const z = bfgs(start, evaluate)
  const [scale, decay] = split(z)
  // Slowest first.
  const order = Array.from({ length: d }, (_, i) => i).sort((a, b) => decay[b] - decay[a])
  return {
    strategy: Object.freeze({
      kind: 'blt', outputScale: Object.freeze(order.map((i) => scale[i])), bufferDecay: Object.freeze(order.map((i) => decay[i])),
    }),
    squaredError: exp(evaluate(z).loss),
  }
}

/** Minimises by BFGS with a halving line search, until the gradient is down to rounding. */
function bfgs(start: Float64Array, evaluate: (z: Float64Array) => { loss: number, gradient: Float64Array }): Float64Array {
  const n = start.length
  let z = start
  let { loss, gradient } = evaluate(z)
  const inverse = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)))
  let stalled = 0
  for (let iteration = 0; iteration < 400 && stalled < 3; iteration++) {
    let direction = inverse.map((row) => -dot(row, gradient))
    if (!(dot(direction, gradient) < 0)) direction = Array.from(gradient, (g) => -g)
    let step = 1
    let moved = z
    let next = { loss: Infinity, gradient }
    for (let tries = 0; tries < 25; tries++, step /= 2) {
      moved = z.map((value, i) => value + Math.max(-1, Math.min(1, step * direction[i])))
      next = evaluate(moved)
      if (next.loss <= loss + 1e-4 * step * dot(direction, gradient) || largest(next.gradient) < 0.5 * largest(gradient)) break
    }
    if (!(next.loss <= loss + 1e-12)) break
    const s = moved.map((value, i) => value - z[i])
    const y = next.gradient.map((value, i) => value - gradient[i])
    const curvature = dot(s, y)
    if (curvature > 0) update(inverse, s, y, curvature)
    stalled = loss - next.loss < 1e-13 ? stalled + 1 : 0
    z = moved
    loss = next.loss
    gradient = next.gradient
    if (largest(gradient) < 1e-11) break
  }
  return z
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

const largest = (a: Float64Array): number => a.reduce((high, value) => Math.max(high, Math.abs(value)), 0)

/** The BFGS update of the inverse Hessian. */
function update(inverse: Float64Array[], s: Float64Array, y: Float64Array, curvature: number): void {
  const hy = inverse.map((row) => dot(row, y))
  const factor = (1 + dot(y, hy) / curvature) / curvature
  for (let i = 0; i < s.length; i++) {
    for (let j = 0; j < s.length; j++) inverse[i][j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature
  }
}
