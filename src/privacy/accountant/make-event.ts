/**
 * Makes privacy events, frozen and checked, and checks those that come from outside.
 * @module
 */
import { aNumber, anInteger, anOptions, show } from '../../assert.ts'
import type {
  ApproximateDpEvent, ComposedEvent, DiscreteGaussianEvent, DiscreteLaplaceEvent, ExponentialEvent,
  FixedSizeSampledEvent, GaussianEvent, LaplaceEvent, MatrixFactorisationEvent, MatrixStrategy, MixtureGaussianEvent,
  NoEvent, NonPrivateEvent, Participation, PoissonSampledEvent, PrivacyEvent, RandomizedResponseEvent, SelfComposedEvent, TreeEvent,
  TruncatedPoissonEvent, ZcdpEvent,
} from './event.ts'

const positive = (title: string, value: number): number => {
  if (aNumber(title, value, 0) === 0) throw new RangeError(`"${title}" expected a number > 0, got 0; without noise use nonPrivate()`)
  return value
}

/** Nothing released. */
export function noEvent(): NoEvent {
  return Object.freeze({ kind: 'none' })
}

/** Released without noise. */
export function nonPrivate(): NonPrivateEvent {
  return Object.freeze({ kind: 'non-private' })
}

/** Gaussian mechanism. @throws {RangeError} when the noise multiplier is not above 0 */
export function gaussian(options: { noiseMultiplier: number }): GaussianEvent {
  anOptions('gaussian', options, ['noiseMultiplier'])
  return Object.freeze({ kind: 'gaussian', noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier) })
}

/** Discrete Gaussian mechanism on integer vectors. */
export function discreteGaussian(options: { sigma: number, sensitivity: number, dimension: number }): DiscreteGaussianEvent {
  anOptions('discreteGaussian', options, ['sigma', 'sensitivity', 'dimension'])
  return Object.freeze({
    kind: 'discrete-gaussian', sigma: positive('sigma', options.sigma),
    sensitivity: positive('sensitivity', options.sensitivity), dimension: anInteger('dimension', options.dimension, 1),
  })
}

/** Laplace mechanism. */
export function laplace(options: { noiseMultiplier: number }): LaplaceEvent {
  anOptions('laplace', options, ['noiseMultiplier'])
  return Object.freeze({ kind: 'laplace', noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier) })
}

/** Discrete Laplace (two-sided geometric) mechanism. */
export function discreteLaplace(options: { parameter: number, sensitivity: number }): DiscreteLaplaceEvent {
  anOptions('discreteLaplace', options, ['parameter', 'sensitivity'])
  return Object.freeze({
    kind: 'discrete-laplace', parameter: positive('parameter', options.parameter),
    sensitivity: anInteger('sensitivity', options.sensitivity, 1),
  })
}

/** A mechanism known by its (ε, δ) only. */
export function approximateDp(options: { epsilon: number, delta: number }): ApproximateDpEvent {
  anOptions('approximateDp', options, ['epsilon', 'delta'])
  return Object.freeze({
    kind: 'approximate-dp', epsilon: aNumber('epsilon', options.epsilon, 0), delta: aNumber('delta', options.delta, 0, 1),
  })
}

/** A mechanism known by its ρ only. */
export function zcdp(options: { rho: number }): ZcdpEvent {
  anOptions('zcdp', options, ['rho'])
  return Object.freeze({ kind: 'zcdp', rho: aNumber('rho', options.rho, 0) })
}

/** Exponential mechanism. */
export function exponential(options: { epsilon: number }): ExponentialEvent {
  anOptions('exponential', options, ['epsilon'])
  return Object.freeze({ kind: 'exponential', epsilon: aNumber('epsilon', options.epsilon, 0) })
}

/** Randomised response. */
export function randomizedResponse(options: { noiseParameter: number, buckets: number }): RandomizedResponseEvent {
  anOptions('randomizedResponse', options, ['noiseParameter', 'buckets'])
  return Object.freeze({
    kind: 'randomized-response', noiseParameter: aNumber('noiseParameter', options.noiseParameter, 0, 1),
    buckets: anInteger('buckets', options.buckets, 2),
  })
}

/** Gaussian noise with a random sensitivity. */
export function mixtureGaussian(
  options: { noiseMultiplier: number, sensitivities: readonly number[], probabilities: readonly number[] },
): MixtureGaussianEvent {
  anOptions('mixtureGaussian', options, ['noiseMultiplier', 'sensitivities', 'probabilities'])
  const sensitivities = options.sensitivities.map((s, i) => aNumber(`sensitivities[${i}]`, s, 0))
  const probabilities = options.probabilities.map((p, i) => aNumber(`probabilities[${i}]`, p, 0, 1))
  if (sensitivities.length === 0 || sensitivities.length !== probabilities.length) {
    throw new RangeError(`"probabilities" expected as many values as sensitivities and at least one, got ` +
      `${probabilities.length} and ${sensitivities.length}`)
  }
  const sum = probabilities.reduce((a, b) => a + b, 0)
  if (Math.abs(sum - 1) > 1e-12) throw new RangeError(`"probabilities" expected numbers that add up to 1, got ${sum}`)
  return Object.freeze({
    kind: 'mixture-gaussian', noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier),
    sensitivities: Object.freeze(sensitivities), probabilities: Object.freeze(probabilities),
  })
}

/** Poisson sampling of any event. */
export function poissonSampled(options: { samplingRate: number, event: PrivacyEvent }): PoissonSampledEvent {
  anOptions('poissonSampled', options, ['samplingRate', 'event'])
  return Object.freeze({
    kind: 'poisson-sampled', samplingRate: aNumber('samplingRate', options.samplingRate, 0, 1), event: anEvent(options.event),
  })
}

/** Shorthand for the usual round: Poisson sampling, clipped sum, Gaussian noise. */
export function poissonGaussian(options: { noiseMultiplier: number, samplingRate: number }): PoissonSampledEvent {
  anOptions('poissonGaussian', options, ['noiseMultiplier', 'samplingRate'])
  return poissonSampled({
    samplingRate: options.samplingRate, event: gaussian({ noiseMultiplier: options.noiseMultiplier }),
  })
}

/** Sampling of a fixed number without replacement. */
export function fixedSizeSampled(
  options: { population: number, cohort: number, event: PrivacyEvent },
): FixedSizeSampledEvent {
  anOptions('fixedSizeSampled', options, ['population', 'cohort', 'event'])
  const population = anInteger('population', options.population, 1)
  return Object.freeze({
    kind: 'fixed-size-sampled', population, cohort: anInteger('cohort', options.cohort, 0, population),
    event: anEvent(options.event),
  })
}

/** Poisson sampling with a cap on the cohort. */
export function truncatedPoisson(
  options: { population: number, samplingRate: number, cap: number, noiseMultiplier: number },
): TruncatedPoissonEvent {
  anOptions('truncatedPoisson', options, ['population', 'samplingRate', 'cap', 'noiseMultiplier'])
  return Object.freeze({
    kind: 'truncated-poisson', population: anInteger('population', options.population, 1),
    samplingRate: aNumber('samplingRate', options.samplingRate, 0, 1), cap: anInteger('cap', options.cap, 1),
    noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier),
  })
}

function aParticipation(options: Participation): Required<Participation> {
  const rounds = anInteger('rounds', options.rounds, 1)
  const minSeparation = anInteger('minSeparation', options.minSeparation, 1)
  const most = Math.ceil(rounds / minSeparation)
  const asked = options.maxParticipations ?? most
  return { rounds, minSeparation, maxParticipations: Math.min(most, anInteger('maxParticipations', asked, 1)) }
}

/** Tree aggregation. */
export function tree(options: { noiseMultiplier: number } & Participation): TreeEvent {
  anOptions('tree', options, ['noiseMultiplier', 'rounds', 'minSeparation', 'maxParticipations'])
  return Object.freeze({
    kind: 'tree', noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier), ...aParticipation(options),
  })
}

/** Banded or BLT matrix factorisation. */
export function matrixFactorisation(
  options: { noiseMultiplier: number, strategy: MatrixStrategy } & Participation,
): MatrixFactorisationEvent {
  anOptions('matrixFactorisation', options,
    ['noiseMultiplier', 'strategy', 'rounds', 'minSeparation', 'maxParticipations'])
  return Object.freeze({
    kind: 'matrix-factorisation', noiseMultiplier: positive('noiseMultiplier', options.noiseMultiplier),
    strategy: aStrategy(options.strategy), ...aParticipation(options),
  })
}

function aStrategy(strategy: MatrixStrategy): MatrixStrategy {
  if (strategy?.kind === 'banded') {
    const coefficients = strategy.coefficients.map((c, i) => aNumber(`coefficients[${i}]`, c, 0))
    if (!(coefficients[0] > 0)) throw new RangeError('"coefficients" expected a first value > 0')
    return Object.freeze({ kind: 'banded', coefficients: Object.freeze(coefficients) })
  }
  if (strategy?.kind === 'blt') {
    const outputScale = strategy.outputScale.map((w, i) => aNumber(`outputScale[${i}]`, w, 0))
    const bufferDecay = strategy.bufferDecay.map((d, i) => aNumber(`bufferDecay[${i}]`, d, 0, 1))
    if (outputScale.length !== bufferDecay.length) {
      throw new RangeError(`"bufferDecay" expected ${outputScale.length} values, got ${bufferDecay.length}`)
    }
    return Object.freeze({ kind: 'blt', outputScale: Object.freeze(outputScale), bufferDecay: Object.freeze(bufferDecay) })
  }
  throw new TypeError(`"strategy" expected { kind: 'banded' | 'blt', ... }, got ${show(strategy)}`)
}

/** All of these events. */
export function composed(events: readonly PrivacyEvent[]): ComposedEvent {
  return Object.freeze({ kind: 'composed', events: Object.freeze(events.map(anEvent)) })
}

/** The same event several times. */
export function selfComposed(event: PrivacyEvent, count: number): SelfComposedEvent {
  return Object.freeze({ kind: 'self-composed', event: anEvent(event), count: anInteger('count', count, 0) })
}

/**
 * Checks and freezes an event that came from outside, e.g. from a ledger's JSON.
 * @throws {TypeError} when its kind is not known
 */
export function anEvent(value: PrivacyEvent): PrivacyEvent {
  if (value === null || typeof value !== 'object') throw new TypeError(`"event" expected a privacy event, got ${show(value)}`)
  if (Object.isFrozen(value) && CHECKED.has(value)) return value
  const event = rebuild(value)
  CHECKED.add(event)
  return event
}

/** Events that have passed their constructor once; checking a long list again would cost its square. */
const CHECKED = /* @__PURE__ */ new WeakSet<object>()

function rebuild(value: PrivacyEvent): PrivacyEvent {
  const { kind, ...rest } = value as { kind: string }
  const make = MAKERS[kind]
  if (!make) throw new TypeError(`"event.kind" expected one of ${Object.keys(MAKERS).join(', ')}, got ${show(kind)}`)
  return make(rest as never)
}

const MAKERS: Record<string, (options: never) => PrivacyEvent> = {
  none: noEvent,
  'non-private': nonPrivate,
  gaussian,
  'discrete-gaussian': discreteGaussian,
  laplace,
  'discrete-laplace': discreteLaplace,
  'approximate-dp': approximateDp,
  zcdp,
  exponential,
  'randomized-response': randomizedResponse,
  'mixture-gaussian': mixtureGaussian,
  'poisson-sampled': poissonSampled,
  'fixed-size-sampled': fixedSizeSampled,
  'truncated-poisson': truncatedPoisson,
  tree,
  'matrix-factorisation': matrixFactorisation,
  composed: (options: { events: readonly PrivacyEvent[] }) => composed(options.events),
  'self-composed': (options: { event: PrivacyEvent, count: number }) => selfComposed(options.event, options.count),
}
