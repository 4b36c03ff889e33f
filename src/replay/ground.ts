/**
 * Where a replay computes: on the model that was fine-tuned, or, without it, on tensors of the same names and sizes.
 * @module
 */
import { aString } from '../assert.ts'
import { hashArray } from '../canonical.ts'
import type { Host } from '../host.ts'
import { readSlice, writeSlice } from '../peft/slice.ts'
import type { Parameters } from '../peft/slice.ts'
import { openPool } from '../simulation/pool.ts'
import type { Pool } from '../simulation/pool.ts'
import type { RoundSettings } from '../simulation/round.ts'
import { tokenize } from '../simulation/tokens.ts'
import type { TokenizedPopulation } from '../simulation/tokens.ts'
import { Tensor } from '../tensor/tensor.ts'
import { sliceOf } from '../train/classifier.ts'
import { createEngine } from '../wasm/engine.ts'
import type { Engine } from '../wasm/engine.ts'
import type { ArrayReader } from './arrays.ts'
import { plainDifference } from './compare.ts'
import { hashExamples, hashTensors } from './digests.ts'
import type { Findings } from './findings.ts'
import { ARRAYS_FILE } from './format.ts'
import type { HeaderLine } from './format.ts'
import { firstDifference, placeOf } from './locate.ts'
import type { VerifyOptions } from './verify.ts'

/** Where a replay computes. */
export interface Opened {
  readonly engine: Engine
  readonly parameters: Parameters
  readonly pool: Pool | undefined
  readonly training: { readonly pool: Pool, readonly people: TokenizedPopulation } | undefined
  /** Whether a model is there that has the tensors of the transcript. */
  readonly modelFits: boolean
}

/** Where to compute: with the model where it is given, else on bare tensors. */
export async function openGround({ host, model, data, threads }: VerifyOptions, header: HeaderLine, { whole }: RoundSettings, findings: Findings): Promise<Opened> {
  if (model !== undefined) {
    const description = { ...header.task.description, model: aString('model', model) }
    let people: TokenizedPopulation | undefined
    const pool = await openPool(host, description, data ? threads ?? host.threads?.count ?? 1 : 1, task => {
      people = tokenize(task, data?.clients ?? [], data?.test ?? [], header.maxTokens)
      return people.store
    })
    const { files, classifier } = pool.task
    const wrong = plainDifference(header.task.files, files)
    if (wrong === undefined) findings.equal('model', Object.keys(files).length)
    else findings.differs({ check: 'model', message: `${wrong?.path} of the model expected the hash ${wrong?.expected}, got ${wrong?.got}` })
    const own = header.method.kind === 'full' ? sliceOf(classifier) : sliceOf(classifier, { rank: classifier.adapter!.config.rank })
    const odd = plainDifference(own.parts, whole.parts)
    const modelFits = odd === undefined
    findings.require(modelFits, { check: 'model', message: `tensors expected as the model has them: ${odd?.path} ${odd?.expected}, got ${odd?.got}` })
    const known = data ? checkData(host, header, data, findings) : false
    if (modelFits) return { engine: classifier.encoder.engine, parameters: classifier.parameters, pool, training: known ? { pool, people: people! } : undefined, modelFits }
    pool.close()
  } else findings.left('model', 'no model was given')
  const engine = await createEngine(host)
  const parameters = new Map(whole.parts.map(({ tensor, to, columns }) => [tensor, new Tensor(engine, tensor, [to, columns])]))
  return { engine, parameters, pool: undefined, training: undefined, modelFits: false }
}

/** @returns whether there are as many clients as in the run */
function checkData(host: Host, { data: recorded }: HeaderLine, { clients, test }: NonNullable<VerifyOptions['data']>, findings: Findings): boolean {
  const same = clients.length === recorded.clients.length
  findings.require(same, { check: 'data', message: `data expected ${recorded.clients.length} clients, got ${clients.length}` })
  const wrong = clients.findIndex(({ examples }, i) => hashExamples(examples, host.sha256) !== recorded.clients[i])
  if (wrong === -1) findings.equal('data', clients.length)
  else if (same) findings.differs({ check: 'data', client: wrong, message: `examples of client ${wrong} expected those of the run, got others` })
  findings.expect(hashExamples(test, host.sha256) === recorded.test, { check: 'data', message: 'test set expected that of the run, got another' })
  return same
}

/** Puts the start in place: as recorded, or else as the model gives it. @returns where it is from */
export function startValues(
  host: Host, header: HeaderLine, { whole }: RoundSettings, parameters: Parameters, arrays: ArrayReader | undefined, modelFits: boolean, findings: Findings,
): 'arrays' | 'model' | 'nowhere' {
  const check = (values: Float32Array, whose: string, other?: Float32Array) => {
    const tensors = hashTensors(whole, values, host.sha256)
    const wrong = Object.keys(tensors).find(name => tensors[name] !== header.tensors[name])
    const index = other && firstDifference(values, other)
    const place = index === undefined ? { tensor: wrong } : placeOf(whole, index)
    return findings.expect(wrong === undefined && hashArray(values, host.sha256) === header.state, { check: 'start', ...place, message: `values that the run starts from expected those of the transcript's first line, got others ${whose}` })
  }
  const own = modelFits ? readSlice(parameters, whole) : undefined
  try {
    const recorded = arrays?.floats(whole.length)
    if (recorded && check(recorded, `in ${ARRAYS_FILE}`)) {
      if (own) check(own, 'from the model', recorded)
      writeSlice(parameters, whole, recorded)
      return 'arrays'
    }
  } catch (error) {
    findings.differs({ check: 'start', message: (error as Error).message })
  }
  return own && check(own, 'from the model') ? 'model' : 'nowhere'
}
