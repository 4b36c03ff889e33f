/**
 * The work of one thread of a simulation: trains clients and evaluates examples on a task of its own. The main thread
 * does the same through a function call where there are no threads.
 * @module
 */
import { contribute } from '../federated/client.ts'
import type { ClientResult, TokenizedExamples } from '../federated/client.ts'
import type { Plan } from '../federated/plan.ts'
import type { Channel, Host } from '../host.ts'
import { writeSlice } from '../peft/slice.ts'
import type { Slice } from '../peft/slice.ts'
import { argmaxRows } from '../train/argmax.ts'
import { predict } from '../train/step.ts'
import { buildTask } from './task.ts'
import type { Task, TaskDescription, TaskIdentity, ThreadRegion } from './task.ts'

/** All clients' and test examples, tokenised; in shared memory where there are threads. */
export interface TokenStore {
  /** Token ids of all examples, one after another. */
  readonly ids: Int32Array
  /** Example e holds ids[offsets[e] .. offsets[e + 1]]. */
  readonly offsets: Int32Array
  /** Class of each example. */
  readonly targets: Int32Array
}

/** One job. */
export type Job =
  | { readonly kind: 'train', readonly plan: Plan, readonly state: Float32Array, readonly examples: readonly number[], readonly client: number }
  | { readonly kind: 'evaluate', readonly reads: Slice, readonly state: Float32Array, readonly examples: readonly number[], readonly batchTokens: number }

/** Logits of examples, in the order asked for. */
export interface Evaluation { readonly logits: Float32Array, readonly predicted: Int32Array }

/** What a job gives. */
export type JobResult<J extends Job> = J extends { kind: 'train' } ? ClientResult : Evaluation

/** Does a job on a task. @param into - where a contribution goes, for who reads it before the next job; default: a new array */
export function doJob<J extends Job>(host: Host, task: Task, store: TokenStore, job: J, into?: Int32Array): JobResult<J> {
  const result = job.kind === 'train'
    ? contribute(task.classifier, job.plan, job.state, examplesOf(store, job.examples), job.client, host.sha256, into)
    : evaluate(task, store, job)
  return result as JobResult<J>
}

function evaluate(task: Task, store: TokenStore, { reads, state, examples, batchTokens }: Extract<Job, { kind: 'evaluate' }>): Evaluation {
  const { classifier } = task
  writeSlice(classifier.parameters, reads, state)
  const columns = classifier.labels.length
  const logits = new Float32Array(examples.length * columns)
  const { sequences } = examplesOf(store, examples)
  for (let from = 0; from < examples.length;) {
    let to = from, tokens = 0
    while (to < examples.length && (to === from || tokens + sequences[to].length <= batchTokens)) tokens += sequences[to++].length
    logits.set(predict(classifier, classifier.pack(sequences.slice(from, to)), reads.rank), from * columns)
    from = to
  }
  return { logits, predicted: argmaxRows(logits, columns) }
}

function examplesOf({ ids, offsets, targets }: TokenStore, examples: readonly number[]): TokenizedExamples {
  return {
    sequences: examples.map(e => ids.subarray(offsets[e], offsets[e + 1])),
    targets: Int32Array.from(examples, e => targets[e]),
  }
}

/** The first message to a thread. */
export interface Hello {
  readonly description: TaskDescription
  readonly identity: TaskIdentity
  readonly region: ThreadRegion
  readonly store: TokenStore
}

/** A job for a thread. */
export interface JobMessage {
  readonly id: number
  readonly job: Job
  /** An array for the contribution, transferred: one that was read comes back for the next. */
  readonly into?: Int32Array | undefined
}

/** Answers of a thread: `ready`, a result, or an error. */
export type Answer =
  | { readonly ready: true }
  | { readonly id: number, readonly result: ClientResult | Evaluation }
  | { readonly id: number, readonly error: { readonly name: string, readonly message: string } }

/** Serves jobs, the whole of a thread's life: gives what to do with each message of the channel. */
export function serveJobs(host: Host, channel: Channel): (message: Hello | JobMessage) => void {
  let ready: Promise<{ task: Task, store: TokenStore }> | undefined
  return message => {
    if ('description' in message) {
      ready = buildTask(host, message.description, message.region, message.identity).then(task => ({ task, store: message.store }))
      ready.then(() => channel.post({ ready: true }), error => channel.post({ id: -1, error: plainError(error) }))
      return
    }
    const { id, job, into } = message
    void ready?.then(({ task, store }) => {
      const result = doJob(host, task, store, job, into)
      if (!('contribution' in result)) return channel.post({ id, result }, [])
      const { contribution, hash, local } = result
      channel.post({ id, result: { contribution, hash, local } }, [contribution.buffer as ArrayBuffer])
    }).catch(error => channel.post({ id, error: plainError(error) }))
  }
}

function plainError(error: unknown): { name: string, message: string } {
  return error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) }
}
