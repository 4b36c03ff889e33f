/**
 * A client's training that can stop between any two steps: on a page that wants to answer its user, in an edge worker
 * whose invocation ends, on a phone that is put away. What it has done so far is a few kilobytes, from which another
 * process, in another runtime, goes on to the same bits.
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { anInteger, anOptions, show } from '../assert.ts'
import { hashArray, hashOf } from '../canonical.ts'
import type { Sha256 } from '../canonical.ts'
import { sameNumerics } from '../numerics.ts'
import { sgd } from '../optim/optimizer.ts'
import { readSlice, tensorOf, writeSlice } from '../peft/slice.ts'
import { encodeInPlace } from '../privacy/mechanism/encode.ts'
import { random } from '../random.ts'
import { trainAtOnce, trainsAtOnce } from '../train/at-once.ts'
import type { Classifier } from '../train/classifier.ts'
import { PrefixCache } from '../train/prefix-cache.ts'
import { trainStep } from '../train/step.ts'
import { planHash } from './plan.ts'
import type { LocalTraining, Plan } from './plan.ts'
import { openState, sealState } from './training-state.ts'

/** A client's examples, as tokens. */
export interface TokenizedExamples {
  readonly sequences: readonly Int32Array[]
  /** Class of each. */
  readonly targets: Int32Array
}

/** What a client made. */
export interface ClientResult {
  /** What leaves the device. */
  readonly contribution: Int32Array
  /** SHA-256 of the contribution; computed when it is first asked for. */
  readonly hash: string
  /** What stays with the client; a simulation may look at it. */
  readonly local: { readonly steps: number, readonly examples: number, readonly loss: number, readonly norm: number }
}

/**
 * A training under way. Between its steps the task may predict, but nothing else may train it or write its parameters.
 */
export interface ClientTraining {
  /** Optimiser steps in all. */
  readonly steps: number
  /** Steps that are done. */
  readonly done: number
  /** Examples that are used: `local.maxExamples` at most. */
  readonly examples: number
  /** Mean loss of the steps done; NaN before the first. */
  readonly loss: number
  /** Tokens of the next step, which its time is proportional to; 0 after the last. */
  readonly nextTokens: number
  /** Does one step; false where none is left. @throws NumericError where a step was stopped: nothing moved */
  step(): boolean
  /** Does all steps that are left, at once where the task allows it. @throws NumericError where a step was stopped */
  rest(): void
  /**
   * What `openTraining` needs to go on, in bytes: trained values, momentum and position, bound to plan, published state,
   * examples and client. They tell as much of the examples as the trained model does: they stay where those are.
   */
  save(): Uint8Array
  /**
   * Encodes the change, after the last step. The trained values stay in the task: they are the client's own model.
   *
   * @param into - where the contribution goes, [plan.lattice.length], for who reads it at once; default: a new array
   */
  finish(into?: Int32Array): ClientResult
  /** Gives memory back, and with `undo` the published values to the task. Harmless after `finish`. */
  close(options?: { readonly undo?: boolean }): void
}

/** How a training is opened. */
export interface TrainingOptions {
  /** What `save` gave: the training goes on from there. */
  readonly saved?: Uint8Array
  /**
   * 32 bytes of a secret: `save` seals with it and `saved` must carry its seal. Without it only accidents are found, which
   * is enough where nobody else can write what is kept.
   */
  readonly key?: Uint8Array
  readonly sha256?: Sha256 | undefined
}

/** The training that a task is in: another would move the same tensors. */
const current = new WeakMap<Classifier, object>()

/**
 * Opens a training of a client: writes the published values into the task or, with `saved`, those of a training that was
 * interrupted. Opening another on the same task ends it.
 *
 * @param state - the values that the round starts from: [plan.reads.length]
 * @param client - the client's number within the round
 * @throws RangeError for a plan of another numerics version or without examples: nothing was trained
 * @throws FormatError for saved bytes that were changed, or that belong to another training: nothing was trained
 */
export function openTraining(
  task: Classifier, plan: Plan, state: Float32Array, examples: TokenizedExamples, client: number, options: TrainingOptions = {},
): ClientTraining {
  anOptions('training', options, ['saved', 'key', 'sha256'])
  sameNumerics('plan.numerics', plan.numerics)
  anInteger('client', client, 0, 0xffff_ffff)
  const { slice, reads, local, publicSeed } = plan, { parameters } = task
  const { sequences, targets } = examples
  if (sequences.length === 0) throw new RangeError(`client ${client} expected at least one example, got none; leave it out`)
  const used = Math.min(local.maxExamples ?? Infinity, sequences.length)
  const steps = local.epochs * Math.ceil(used / local.batchSize)
  const size = slice.length * (local.momentum ? 2 : 1)
  const binding = () => bindingOf(plan, state, examples, client, options.sha256)
  const saved = options.saved && openState(options.saved, { size, steps, binding: binding(), key: options.key })

  const self = {}
  current.set(task, self)
  writeSlice(parameters, reads, state)
  const start = readSlice(parameters, slice, startOf(task, slice.length))
  const optimizer = sgd({ learningRate: local.learningRate, momentum: local.momentum ?? 0 })
  const cache = local.epochs > 1 ? new PrefixCache() : undefined
  let batches = batchesOf(local, sequences.length, publicSeed, plan.round, client)
  let next = batches.next()
  let done = 0, lossSum = 0, open = true
  if (saved) {
    writeSlice(parameters, slice, saved.values.subarray(0, slice.length))
    if (local.momentum) optimizer.restore(parameters, slice, saved.values.subarray(slice.length))
    for (; done < saved.done; done++) next = batches.next()
    lossSum = saved.lossSum
  }
  const mine = (what: string) => {
    if (!open) throw new Error(`${what} expected an open training, got one that was closed; open it again from what it saved`)
    if (current.get(task) !== self) throw new Error(`${what} expected a task in this training alone, got one that another training was opened on; give each a task of its own`)
  }
  const step = () => {
    mine('step')
    if (next.done) return false
    const { batch, key } = next.value
    lossSum += trainStep(task, task.pack(batch.map(i => sequences[i])), Int32Array.from(batch, i => targets[i]), slice, optimizer, {
      maxGradientNorm: local.maxGradientNorm,
      prefix: cache && { cache, examples: batch },
      dropout: key && { rate: local.dropout!, key },
    }).loss
    done++
    next = batches.next()
    return true
  }
  return new OpenTraining({
    steps, examples: used,
    doneSoFar: () => done,
    lossSoFar: () => lossSum / done,
    tokensNext: () => next.done ? 0 : next.value.batch.reduce((sum, i) => sum + sequences[i].length, 0),
    step,
    rest() {
      mine('rest')
      if (done === 0 && !local.momentum && !local.dropout && local.maxGradientNorm === undefined && trainsAtOnce(task, slice) && sequences.every(isRow)) {
        const rows = new Int32Array(local.epochs * used), classes = new Int32Array(rows.length)
        let at = 0
        for (; !next.done; next = batches.next()) {
          for (const i of next.value.batch) {
            rows[at] = sequences[i][0]
            classes[at++] = targets[i]
          }
        }
        const sum = trainAtOnce(task, slice, rows, classes, local)
        if (sum === undefined) {
          batches = batchesOf(local, sequences.length, publicSeed, plan.round, client)
          next = batches.next()
        } else {
          lossSum = sum
          done = steps
        }
      }
      while (step());
    },
    save() {
      mine('save')
      const values = new Float32Array(size)
      values.set(readSlice(parameters, slice))
      if (local.momentum) values.set(optimizer.save(parameters, slice), slice.length)
      return sealState({ values, done, lossSum }, { binding: binding(), key: options.key })
    },
    finish(into) {
      mine('finish')
      if (done < steps) throw new Error(`finish expected all ${steps} steps to be done, got ${done}; go on with step()`)
      if (into !== undefined && (!(into instanceof Int32Array) || into.length !== plan.lattice.length)) {
        throw new RangeError(`"into" expected an Int32Array of ${plan.lattice.length}, got ${show(into)}; leave it out for a new one`)
      }
      const { engine } = task.encoder, { kernels } = engine
      const { values, norm } = encodeInPlace(engine, plan.lattice, (x, frame) => {
        let at = x
        for (const part of slice.parts) {
          const tensor = tensorOf(parameters, part), count = (part.to - part.from) * part.columns
          kernels['copy'](at, tensor.ptr + part.from * part.columns * 4, count)
          at += count * 4
        }
        kernels['axpy'](x, frame.put(start), -1, slice.length)
      }, { publicSeed: hexToBytes(publicSeed), round: plan.round, client }, into)
      return new Result(values, { steps, examples: used, loss: lossSum / steps, norm }, options.sha256)
    },
    close({ undo = false } = {}) {
      if (open && undo && current.get(task) === self) writeSlice(parameters, reads, state)
      open = false
      // a client's momentum ends with it, and its memory serves the next client
      optimizer.reset()
    },
  })
}

interface Batch {
  /** Numbers of the examples. */
  readonly batch: readonly number[]
  /** Of the dropout. */
  readonly key: readonly [number, number] | undefined
}

/** What an open training is made of. */
interface Inner extends Omit<ClientTraining, 'done' | 'loss' | 'nextTokens'> {
  doneSoFar(): number
  lossSoFar(): number
  tokensNext(): number
}

/**
 * A training and a result of classes of their own: V8 makes a hidden class for each object literal that has a getter, and
 * that keeps the literal's whole scope, of each client of a round, until the heap is collected whole.
 */
class OpenTraining implements ClientTraining {
  readonly #inner: Inner
  readonly steps: number
  readonly examples: number

  constructor(inner: Inner) {
    this.#inner = inner
    this.steps = inner.steps
    this.examples = inner.examples
    Object.freeze(this)
  }

  get done(): number { return this.#inner.doneSoFar() }
  get loss(): number { return this.#inner.lossSoFar() }
  get nextTokens(): number { return this.#inner.tokensNext() }
  step(): boolean { return this.#inner.step() }
  rest(): void { this.#inner.rest() }
  save(): Uint8Array { return this.#inner.save() }
  finish(into?: Int32Array): ClientResult { return this.#inner.finish(into) }
  close(options?: { readonly undo?: boolean }): void { this.#inner.close(options) }
}

class Result implements ClientResult {
  readonly contribution: Int32Array
  readonly local: ClientResult['local']
  readonly #native: Sha256 | undefined
  #hash: string | undefined

  constructor(contribution: Int32Array, local: ClientResult['local'], native: Sha256 | undefined) {
    this.contribution = contribution
    this.local = local
    this.#native = native
  }

  get hash(): string { return this.#hash ??= hashArray(this.contribution, this.#native) }
}

/** The values that a task's training started from: one at a time, so one array serves them all. */
const starts = new WeakMap<Classifier, Float32Array>()

function startOf(task: Classifier, length: number): Float32Array {
  let start = starts.get(task)
  if (start?.length !== length) starts.set(task, start = new Float32Array(length))
  return start
}

/** Whether a sequence is one row of a table of vectors. */
const isRow = (sequence: Int32Array): boolean => sequence.length === 1

/** The batches of a training, by the public seed alone: whoever counts as far as they are done knows the rest. */
function* batchesOf({ epochs, batchSize, maxExamples, dropout }: LocalTraining, count: number, seed: string, round: number, client: number): Generator<Batch, undefined> {
  const order = random(seed, 'order', round, client)
  const used = order.shuffle(Array.from({ length: count }, (_, i) => i)).slice(0, maxExamples ?? count)
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (epoch > 0) order.shuffle(used)
    for (let from = 0; from < used.length; from += batchSize) {
      yield { batch: used.slice(from, from + batchSize), key: dropout ? [order.u32() | 0, order.u32() | 0] : undefined }
    }
  }
  return undefined
}

/** SHA-256 of all that a training is a function of. */
function bindingOf(plan: Plan, state: Float32Array, { sequences, targets }: TokenizedExamples, client: number, native?: Sha256): Uint8Array {
  const ids = new Int32Array(sequences.reduce((sum, sequence) => sum + 1 + sequence.length, 0))
  let at = 0
  for (const sequence of sequences) {
    ids[at++] = sequence.length
    ids.set(sequence, at)
    at += sequence.length
  }
  return hexToBytes(hashOf({
    purpose: 'client training', plan: planHash(plan), state: hashArray(state, native), client,
    sequences: hashArray(ids, native), targets: hashArray(targets, native),
  }))
}
