/**
 * Transcripts of trainings: written while a simulation runs, and verified by whoever has the files, in any runtime.
 * @module
 */
export { transcriptRecorder, type TranscriptOptions, type TranscriptRecorder } from './record.ts'
export { verifyRun, type Verification, type VerifyOptions } from './verify.ts'
export { type Check, type CheckName, type Difference } from './findings.ts'
export { TRANSCRIPT_FORMAT } from './format.ts'
