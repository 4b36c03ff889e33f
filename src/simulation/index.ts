/**
 * Federated training with simulated clients: to find a rank, clip norm, cohort and budget before any device is involved.
 * @module
 */
export { simulate, type RoundReport, type Simulation, type SimulationResult } from './simulate.ts'
export { type Method, type PrivacyOptions, type ResolvedPrivacy, type SimulationOptions } from './options.ts'
export { type TaskDescription } from './task.ts'
export { SeededNoise } from '../privacy/mechanism/seeded-noise.ts'
export { auditTraining, type CanaryAudit, type CanaryAuditOptions } from './audit/canaries.ts'
export { membershipAttack, type Attack, type MembershipOptions, type MembershipResult } from './audit/membership.ts'
export { rocOf, type Measured, type RateAt, type RocPoint, type RocResult } from './audit/roc.ts'
