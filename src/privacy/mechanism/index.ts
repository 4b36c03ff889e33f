/**
 * The privacy mechanism: integers from the client's update to the noised sum. Seeded noise is not here: it is exported
 * from the simulation entry point.
 * @module
 */
export { adaptiveClip, nextClip, quantileNoise, type AdaptiveClip, type AdaptiveClipOptions } from './adaptive-clip.ts'
export { Aggregate } from './aggregate.ts'
export { clipForRank, type ClipRule, type ClipRuleOptions } from './clip-rule.ts'
export { noiseSpread, type CorrelatedStrategy } from './correlated-design.ts'
export { CorrelatedNoise, type CorrelatedOptions, type CorrelatedState } from './correlated-noise.ts'
export { encode, type Contribution, type EncodeOptions } from './encode.ts'
export { chooseLattice, sliceLattice, type Lattice, type LatticeOptions, type Rounding } from './lattice.ts'
export { commitmentOf, type NoiseKind, type NoiseSource } from './noise-source.ts'
export { decodeRelease, eventOf, release, type Released, type ReleaseOptions } from './release.ts'
export type { Frame, Scratch } from './scratch.ts'
export { SystemNoise, type RandomBytes } from './system-noise.ts'
