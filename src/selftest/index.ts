/**
 * Whether this runtime computes the same bits as all others.
 * @module
 */
export { diagnose, type BuildState, type Diagnosis } from './diagnose.ts'
export { selfTest, expectedHash, type SelfTestOptions, type SelfTestPart, type SelfTestResult } from './self-test.ts'
export { simulationFiles } from './simulation.ts'
export type { Level } from './section.ts'
