/**
 * Privacy accounting: what a series of noisy releases costs.
 * @module
 */
export { UnsupportedEventError, type Accountant, type Counted } from './accountant.ts'
export { calibrateEvent, calibrateNoise, epsilonOf, type AccountantMaker, type Target } from './calibrate.ts'
export {
  anEvent, approximateDp, composed, discreteGaussian, discreteLaplace, exponential, fixedSizeSampled, gaussian, laplace,
  matrixFactorisation, mixtureGaussian, noEvent, nonPrivate, poissonGaussian, poissonSampled, randomizedResponse,
  selfComposed, tree, truncatedPoisson, zcdp,
  type AtomicEvent, type MatrixStrategy, type Participation, type PrivacyEvent,
} from './event.ts'
export { ADJACENCIES, PRIVACY_UNITS, type Adjacency, type Neighbourhood, type PrivacyUnit } from './neighbourhood.ts'
export { discretisationFor, pldAccountant } from './pld/pld.ts'
export { rdpAccountant } from './rdp.ts'
export { deltaFromRdp, epsilonFromRdp } from './rdp-conversion.ts'
