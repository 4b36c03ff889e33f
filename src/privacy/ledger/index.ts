/**
 * The ledger: what privacy was spent, durable, in one transaction with the models that it was spent on.
 * @module
 */
export { auditLedger, requireGuarantee, type AuditedRound, type AuditOptions, type LedgerAudit } from './audit.ts'
export { BudgetError, describeLeft, type AccountantName, type Budget, type BudgetLeft } from './budget.ts'
export {
  entryText, parseEntry, type LedgerEntry, type LedgerNoise, type OpeningEntry, type ReleaseEntry, type ReserveEntry, type RoundCost,
} from './entry.ts'
export {
  createLedger, Ledger, openLedger, type LatestRelease, type LedgerOptions, type RoundOutput,
} from './ledger.ts'
export { memoryLedger, type KeepOptions, type LedgerBlob, type LedgerStore } from './store.ts'
