/**
 * Privacy events: frozen descriptions of what was released, sufficient for accounting and nothing more. They are
 * plain data (JSON in, JSON out), so that a ledger can store them and any accountant can be asked again later.
 *
 * Everywhere `noiseMultiplier` is the noise's standard deviation divided by the clip norm C of one unit's term, for
 * noise added to the *sum*; dividing afterwards by a fixed public number costs nothing, dividing by the number of
 * units that happened to take part does. The adjacency is not part of an event: an accountant has it, and derives
 * the sensitivity from it. They are made, and checked, by make-event.ts.
 * @module
 */

/** Nothing was released. */
export interface NoEvent { readonly kind: 'none' }
/** Something was released without noise: every ε is infinite. */
export interface NonPrivateEvent { readonly kind: 'non-private' }
/** The clipped sum with N(0, (noiseMultiplier·C)²) added to each coordinate. */
export interface GaussianEvent { readonly kind: 'gaussian', readonly noiseMultiplier: number }
/** The integer sum with discrete Gaussian noise of parameter `sigma` in lattice steps (Canonne et al. 2020). */
export interface DiscreteGaussianEvent {
  readonly kind: 'discrete-gaussian'
  /** Noise parameter in lattice steps. */
  readonly sigma: number
  /** Largest Euclidean norm of one unit's integer vector, in lattice steps. */
  readonly sensitivity: number
  /** Number of coordinates, at least 1. */
  readonly dimension: number
}
/** Laplace noise; `noiseMultiplier` is its scale b divided by one unit's largest L1 norm. */
export interface LaplaceEvent { readonly kind: 'laplace', readonly noiseMultiplier: number }
/** Integer noise with P[k] proportional to e^(-parameter·|k|), for an integer query of the sensitivity given. */
export interface DiscreteLaplaceEvent {
  readonly kind: 'discrete-laplace'
  readonly parameter: number
  readonly sensitivity: number
}
/** Any mechanism known only to be (ε, δ)-differentially private. */
export interface ApproximateDpEvent { readonly kind: 'approximate-dp', readonly epsilon: number, readonly delta: number }
/** Any mechanism known only to be ρ-zero-concentrated DP (Bun and Steinke 2016). */
export interface ZcdpEvent { readonly kind: 'zcdp', readonly rho: number }
/** Exponential mechanism, or any whose loss has range at most ε (Dong et al. 2020). */
export interface ExponentialEvent { readonly kind: 'exponential', readonly epsilon: number }
/** With probability `noiseParameter` the answer is uniform over `buckets`, else it is the truth. */
export interface RandomizedResponseEvent {
  readonly kind: 'randomized-response'
  readonly noiseParameter: number
  readonly buckets: number
}
/** Gaussian noise on a sum to which one unit's share is random: `sensitivities[i]` with `probabilities[i]`. */
export interface MixtureGaussianEvent {
  readonly kind: 'mixture-gaussian'
  readonly noiseMultiplier: number
  readonly sensitivities: readonly number[]
  readonly probabilities: readonly number[]
}
/** Every unit takes part by its own coin of probability `samplingRate`, unseen by the adversary. */
export interface PoissonSampledEvent {
  readonly kind: 'poisson-sampled'
  readonly samplingRate: number
  readonly event: PrivacyEvent
}
/** A uniformly random set of exactly `cohort` out of `population` units takes part, unseen by the adversary. */
export interface FixedSizeSampledEvent {
  readonly kind: 'fixed-size-sampled'
  readonly population: number
  readonly cohort: number
  readonly event: PrivacyEvent
}
/** Poisson sampling whose cohort is cut, uniformly, to `cap` units when it is larger. */
export interface TruncatedPoissonEvent {
  readonly kind: 'truncated-poisson'
  readonly population: number
  readonly samplingRate: number
  readonly cap: number
  readonly noiseMultiplier: number
}
/** Binary-tree aggregation over `rounds` leaves (DP-FTRL); a unit may be in several leaves. */
export interface TreeEvent {
  readonly kind: 'tree'
  /** Noise of one node divided by the clip norm. */
  readonly noiseMultiplier: number
  readonly rounds: number
  /** A unit's participations are at least this many rounds apart (1: any two rounds). */
  readonly minSeparation: number
  readonly maxParticipations: number
}
/** Correlated noise C^-1 Z on the clipped sums of `rounds` rounds, that is C x + Z released for a strategy C. */
export interface MatrixFactorisationEvent {
  readonly kind: 'matrix-factorisation'
  /** Standard deviation of Z divided by the clip norm. */
  readonly noiseMultiplier: number
  readonly strategy: MatrixStrategy
  readonly rounds: number
  readonly minSeparation: number
  readonly maxParticipations: number
}
/** A lower-triangular Toeplitz strategy: its first column spelled out, or as a sum of decaying exponentials. */
export type MatrixStrategy =
  | { readonly kind: 'banded', readonly coefficients: readonly number[] }
  | { readonly kind: 'blt', readonly outputScale: readonly number[], readonly bufferDecay: readonly number[] }
/** All of these were released, each possibly chosen after seeing the earlier ones. */
export interface ComposedEvent { readonly kind: 'composed', readonly events: readonly PrivacyEvent[] }
/** The same event `count` times. */
export interface SelfComposedEvent { readonly kind: 'self-composed', readonly event: PrivacyEvent, readonly count: number }

/** What was released. */
export type PrivacyEvent =
  | NoEvent | NonPrivateEvent | GaussianEvent | DiscreteGaussianEvent | LaplaceEvent | DiscreteLaplaceEvent
  | ApproximateDpEvent | ZcdpEvent | ExponentialEvent | RandomizedResponseEvent | MixtureGaussianEvent
  | PoissonSampledEvent | FixedSizeSampledEvent | TruncatedPoissonEvent | TreeEvent | MatrixFactorisationEvent
  | ComposedEvent | SelfComposedEvent

/** An event that is not made of others. */
export type AtomicEvent = Exclude<PrivacyEvent, NoEvent | ComposedEvent | SelfComposedEvent>

/** A participation schedule; `maxParticipations` may be left out when rounds and separation bound it. */
export interface Participation {
  rounds: number
  minSeparation: number
  maxParticipations?: number
}
