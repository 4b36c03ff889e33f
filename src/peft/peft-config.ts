/**
 * `adapter_config.json` as Hugging Face PEFT writes and reads it. What the computation does not depend on is ignored; a
 * setting that it cannot honour is an error, never an approximation.
 * @module
 */
import * as v from 'valibot'
import { show } from '../assert.ts'
import { asObject, parseJson } from '../checkpoint/json.ts'
import { FormatError } from '../errors.ts'
import type { LoraConfig } from './lora.ts'

/** What the file is called. */
export const CONFIG_FILE = 'adapter_config.json'

/** What the file says of the pairs; which sites have one, the names of the tensors say. */
export interface PeftLora {
  readonly rank: number
  readonly alpha: number
  readonly scaling: Required<LoraConfig>['scaling']
  /** `target_modules` where it is a list: hints for the short form of the sites. */
  readonly words: readonly string[]
}

const SCHEMA = v.object({
  peft_type: v.literal('LORA'),
  r: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(4096)),
  lora_alpha: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  use_rslora: v.optional(v.nullable(v.boolean()), false),
  target_modules: v.optional(v.nullable(v.union([v.string(), v.array(v.string())]))),
  // other initialisations change the base weights when PEFT loads the adapter
  init_lora_weights: v.optional(v.union([v.boolean(), v.literal('gaussian')])),
  bias: v.optional(v.literal('none')),
})

/** Keys that change nothing in inference, or nothing that the tensors' own names and shapes do not say. */
const IGNORED = new Set([
  ...Object.keys(SCHEMA.entries), 'auto_mapping', 'base_model_name_or_path', 'revision', 'task_type', 'inference_mode',
  'lora_dropout', 'loftq_config', 'megatron_core', 'layers_to_transform', 'layers_pattern', 'exclude_modules',
  'peft_version', 'runtime_config',
])

/**
 * Understands the file.
 *
 * @throws FormatError naming the key, what was expected and what came.
 */
export function readPeftConfig(bytes: Uint8Array): PeftLora {
  const config = asObject(parseJson(bytes, CONFIG_FILE).value, CONFIG_FILE)
  const result = v.safeParse(SCHEMA, config)
  if (!result.success) {
    const [issue] = result.issues
    throw new FormatError(`${show(CONFIG_FILE)} ${show(v.getDotPath(issue) ?? '')} expected ` +
      `${issue.expected ?? 'another value'}, ` +
      `got ${issue.received}; Sotto reads plain LoRA`)
  }
  for (const [key, value] of Object.entries(config)) {
    if (!IGNORED.has(key) && !isEmpty(value)) {
      throw new FormatError(`${show(CONFIG_FILE)} ${show(key)} expected no value, got ${show(value)}; Sotto ` +
        `reads plain LoRA`)
    }
  }
  const { r, lora_alpha, use_rslora, target_modules } = result.output
  const words = Array.isArray(target_modules) ? target_modules : []
  return { rank: r, alpha: lora_alpha, scaling: use_rslora ? 'alpha/sqrt(r)' : 'alpha/r', words }
}

/** The file's text, with keys that every version of PEFT since 0.7 knows. */
export function writePeftConfig({ rank, alpha, scaling, words }: PeftLora, baseModel: string | null): string {
  return `${JSON.stringify({
    base_model_name_or_path: baseModel,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: 'LORA',
    r: rank,
    target_modules: words,
    task_type: 'FEATURE_EXTRACTION',
    use_rslora: scaling === 'alpha/sqrt(r)',
  }, null, 2)}\n`
}

function isEmpty(value: unknown): boolean {
  return value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
}
