/**
 * What a device needs to take part in a round: the plan, a training that can stop and go on, and the contribution.
 * @module
 */
export { hashArray, hashOf } from '../canonical.ts'
export { readSlice, writeSlice, type Slice } from '../peft/slice.ts'
export { contribute } from './client.ts'
export { makePlan, planHash, type LocalTraining, type Plan } from './plan.ts'
export { openTraining, type ClientResult, type ClientTraining, type TokenizedExamples, type TrainingOptions } from './training.ts'
export { runSlice, startTraining, type Progress, type SliceLimit, type SliceResult, type TrainingRun } from './training-run.ts'
