/**
 * Sotto: private federated fine-tuning of transformers, in any JavaScript runtime, with the same bits everywhere.
 * @module
 */
export { FormatError, NumericError, PrivacyError } from './errors.ts'
export type { Host, Variant } from './host.ts'
export { NUMERICS_VERSION } from './numerics.ts'
export { loadModel, type Model, type ModelOptions } from './model/load.ts'
export { attachLora, type LoraAdapter, type LoraConfig } from './peft/lora.ts'
export { exportAdapter, importAdapter, type Head, type ImportedAdapter } from './peft/checkpoint.ts'
export { mergeLora } from './peft/merge.ts'
export { adamw, sgd, type Optimizer } from './optim/optimizer.ts'
export { sliceOf, textClassifier, type Classifier } from './train/classifier.ts'
export type { StepResult } from './train/gradients.ts'
export { predict, trainStep } from './train/step.ts'
export { createEngine, type Engine } from './wasm/engine.ts'
