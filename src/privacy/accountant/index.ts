/**
 * Privacy accounting: what a series of noisy releases costs.
 * @module
 */
export { auditOneRun, oneRunPValue, type CanaryScores } from './audit-one-run.ts'
export { UnsupportedEventError, type Accountant, type Counted } from './accountant.ts'
export {
  calibrateEvent, calibrateNoise, epsilonOf, solveBudget,
  type AccountantMaker, type BudgetAnswer, type BudgetQuestion, type Target,
} from './calibrate.ts'
export type { AtomicEvent, MatrixStrategy, Participation, PrivacyEvent } from './event.ts'
export {
  anEvent, approximateDp, composed, discreteGaussian, discreteLaplace, exponential, fixedSizeSampled, gaussian,
  laplace, matrixFactorisation, mixtureGaussian, noEvent, nonPrivate, poissonGaussian, poissonSampled,
  randomizedResponse, selfComposed, tree, truncatedPoisson, zcdp,
} from './make-event.ts'
export { ADJACENCIES, PRIVACY_UNITS, type Adjacency, type Neighbourhood, type PrivacyUnit } from './neighbourhood.ts'
export { optimalComposition } from './composition.ts'
export { gaussianAccountant, gaussianDelta, gaussianEpsilon, gaussianMu } from './gaussian.ts'
export { attackerTpr, discretisationFor, pldAccountant, privacyCurve, type PrivacyCurve } from './pld/pld.ts'
export { prvBounds, type EpsilonBounds } from './prv.ts'
export { rdpAccountant } from './rdp.ts'
export { deltaFromRdp, epsilonFromRdp } from './rdp-conversion.ts'
export { FALSE_POSITIVE_RATES, fittedMu, summarise, type AttackRate, type PrivacySummary } from './summary.ts'
export { totalRho, zcdpAccountant, zcdpDelta, zcdpEpsilon } from './zcdp.ts'
export {
  noiseStream, treeNoise, type NoiseStream, type NoiseStreamState,
} from './correlated/noise-stream.ts'
export { rankSliceParticipation, rowStreams, type RowStreams } from './correlated/rank-slice.ts'
export { optimalBlt } from './correlated/blt.ts'
export {
  firstColumn, maxParticipationLinear, squareRootCoefficients, strategySensitivitySquared, toeplitzSensitivitySquared,
} from './correlated/toeplitz.ts'
export { treeSensitivitySquared } from './correlated/tree-sensitivity.ts'
