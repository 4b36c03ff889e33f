/**
 * Runs jobs on several threads that share one copy of the frozen weights, or on this thread where there are none. What a
 * job gives does not depend on where it runs.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import { newMemory } from '../wasm/engine.ts'
import { buildTask } from './task.ts'
import type { Task, TaskDescription } from './task.ts'
import { doJob } from './worker.ts'
import type { Answer, Job, JobResult, TokenStore } from './worker.ts'

/** Workers for a task. The task of this thread holds the shared state. */
export interface Pool {
  readonly task: Task
  readonly threads: number
  /**
   * Runs jobs, several at a time; yields results in the order of the jobs. A contribution is to be read before the next result
   * is asked for: its array serves another client then, so that memory does not grow with the clients of a round.
   */
  run<J extends Job>(jobs: readonly J[], onDone?: (done: number) => void): AsyncGenerator<JobResult<J>>
  close(): void
}

/** Address space that a thread may use beyond the shared weights, at most; many threads have less each. */
const REGION = 640 * 2 ** 20
/** All addresses of a memory. */
const ADDRESSES = 4 * 2 ** 30

/** Whole pages of a part of the addresses from `first` on, for one of `threads`. */
function part(first: number, end: number, threads: number): number {
  return Math.min(REGION, Math.floor((end - first) / threads / 65536) * 65536)
}

/**
 * Builds the task here and in `threads` threads.
 *
 * @param threads - 0 or 1: no other thread. All share 4 GiB of addresses: beyond 4, each has less than 640 MiB of its own
 * @param storeOf - the examples' tokens, made with the tokenizer of the task; kept in shared memory
 */
export async function openPool(
  host: Host, description: TaskDescription, threads: number, storeOf: (task: Task) => TokenStore,
): Promise<Pool> {
  if (threads <= 1 || host.threads === undefined) {
    const task = await buildTask(host, description)
    const store = storeOf(task)
    return Object.freeze({
      task, threads: 1, close() {},
      async *run<J extends Job>(jobs: readonly J[], onDone?: (done: number) => void) {
        let into: Int32Array | undefined
        for (const [i, job] of jobs.entries()) {
          const result = doJob(host, task, store, job, fitting(into, job))
          if ('contribution' in result) into = result.contribution
          yield result
          onDone?.(i + 1)
          await host.pause?.()
        }
      },
    })
  }
  const memory = newMemory('shared')
  const trainable = description.lora === undefined
  // this thread loads first; where the weights lie tells where the threads' own parts start
  const mine = trainable ? part(65536, ADDRESSES, threads + 1) : REGION
  const base = trainable ? 65536 : ADDRESSES - mine
  const task = await buildTask(host, description, { memory, base, limit: base + mine, attach: false })
  const first = trainable ? base + mine : Math.ceil(task.sharedTop / 65536) * 65536
  const size = part(first, trainable ? ADDRESSES : base, threads)
  const store = shared(storeOf(task))
  const identity = { files: task.files, hash: task.hash }
  const channels: Channel[] = []
  try {
    for (let i = 0; i < threads; i++) {
      const channel = host.threads.spawn()
      channels.push(channel)
      const region = { memory, base: first + i * size, limit: first + (i + 1) * size, attach: true }
      await new Promise<void>((resolve, reject) => {
        channel.onError(reject)
        channel.onMessage((answer: Answer) => 'ready' in answer ? resolve() : reject(errorOf(answer)))
        channel.post({ description, identity, region, store })
      })
    }
  } catch (error) {
    for (const channel of channels) channel.close()
    throw error
  }
  return Object.freeze({
    task, threads,
    run: <J extends Job>(jobs: readonly J[], onDone?: (done: number) => void) => schedule<J>(channels, jobs, onDone),
    close() { for (const channel of channels) channel.close() },
  })
}

/** Each channel has one job at a time; results wait until those before them have been taken. */
async function* schedule<J extends Job>(
  channels: readonly Channel[], jobs: readonly J[], onDone?: (done: number) => void,
): AsyncGenerator<JobResult<J>> {
  const results = new Map<number, JobResult<J>>()
  const read: Int32Array[] = []
  let next = 0, done = 0, failure: Error | undefined
  let wake = () => {}
  const give = (channel: Channel) => {
    if (next >= jobs.length || failure) return
    const id = next++
    const into = fitting(read.pop(), jobs[id])
    channel.post({ id, job: jobs[id], into }, into ? [into.buffer as ArrayBuffer] : [])
  }
  for (const channel of channels) {
    channel.onError(error => {
      failure = error
      wake()
    })
    channel.onMessage((answer: Answer) => {
      if ('result' in answer) {
        results.set(answer.id, answer.result as JobResult<J>)
        onDone?.(++done)
        give(channel)
      } else if ('error' in answer) failure = errorOf(answer)
      wake()
    })
    give(channel)
  }
  for (let i = 0; i < jobs.length; i++) {
    while (!results.has(i)) {
      if (failure) throw failure
      await new Promise<void>(resolve => { wake = resolve })
    }
    const result = results.get(i)!
    results.delete(i)
    yield result
    if ('contribution' in result) read.push(result.contribution)
  }
}

/** An array that was read, if the contribution of a job is as long. */
function fitting(array: Int32Array | undefined, job: Job): Int32Array | undefined {
  return job.kind === 'train' && array?.length === job.plan.lattice.length ? array : undefined
}

function errorOf(answer: Answer): Error {
  if (!('error' in answer)) return new Error('thread expected to answer, got something else')
  const Kind = answer.error.name === 'RangeError' ? RangeError : answer.error.name === 'TypeError' ? TypeError : Error
  return new Kind(answer.error.message)
}

/** The same numbers in memory that threads share. */
function shared(store: TokenStore): TokenStore {
  const copy = (values: Int32Array) => {
    const out = new Int32Array(new SharedArrayBuffer(values.byteLength))
    out.set(values)
    return out
  }
  return { ids: copy(store.ids), offsets: copy(store.offsets), targets: copy(store.targets) }
}
