/**
 * Runs a training in the background of something else: in slices of a few steps, or to its end with progress, pause,
 * resume and cancel. Nothing here changes a bit of what comes out.
 * @module
 */
import { aNumber, anInteger, anObjectWith, anOptions } from '../assert.ts'
import type { Host } from '../host.ts'
import type { ClientResult, ClientTraining } from './training.ts'

/** How much a slice may do; at least one step is done whatever is said. */
export interface SliceLimit {
  readonly steps?: number
  /** Tokens of the steps together: the measure of time where the clock stands still, as in edge workers. */
  readonly tokens?: number
  /** With `now`: no step begins that would end later, if it takes as long a token as those before it. */
  readonly milliseconds?: number
  readonly now?: () => number
}

/** What a slice did. */
export interface SliceResult {
  readonly steps: number
  readonly tokens: number
  /** True where no step is left. */
  readonly finished: boolean
}

/** Does some steps of a training. */
export function runSlice(training: ClientTraining, limit: SliceLimit = {}): SliceResult {
  anObjectWith('training', training, ['step'], 'pass what openTraining gave')
  anOptions('limit', limit, ['steps', 'tokens', 'milliseconds', 'now'])
  const { milliseconds, now } = limit
  const mostSteps = limit.steps === undefined ? Infinity : anInteger('steps', limit.steps, 1)
  const mostTokens = limit.tokens === undefined ? Infinity : anInteger('tokens', limit.tokens, 1)
  if (milliseconds !== undefined) {
    aNumber('milliseconds', milliseconds, 0)
    if (now === undefined) throw new TypeError('"now" expected a clock with "milliseconds", got none; pass the host\'s now')
  }
  const started = now?.() ?? 0
  let steps = 0, tokens = 0
  while (training.nextTokens > 0) {
    const next = training.nextTokens
    if (steps > 0) {
      if (steps >= mostSteps || tokens + next > mostTokens) break
      const passed = milliseconds === undefined ? 0 : now!() - started
      if (milliseconds !== undefined && passed * (tokens + next) / tokens > milliseconds) break
    }
    training.step()
    steps++
    tokens += next
  }
  return { steps, tokens, finished: training.done === training.steps }
}

/** How far a training is. */
export interface Progress {
  readonly done: number
  readonly steps: number
  /** Mean loss of the steps done; NaN before the first. */
  readonly loss: number
  /** Milliseconds that the rest will take, pauses not counted; undefined before the first step of this run. */
  readonly left: number | undefined
  readonly paused: boolean
}

/** A training that runs. */
export interface TrainingRun {
  /** What the client made; undefined where it was cancelled. Rejects where a step was stopped. */
  readonly result: Promise<ClientResult | undefined>
  /** No step begins until `resume`. */
  pause(): void
  resume(): void
  /** Ends it before the next step; the task has the published values again. */
  cancel(): void
}

/**
 * Does the steps of a training one after another. Between two of them waiting events are let through: messages of a page
 * that wants to pause or cancel.
 */
export function startTraining(training: ClientTraining, host: Pick<Host, 'now' | 'pause'>, onProgress: (progress: Progress) => void = () => {}): TrainingRun {
  anObjectWith('training', training, ['step'], 'pass what openTraining gave')
  let state: 'running' | 'paused' | 'cancelled' = 'running', wake = () => {}
  let spent = 0
  const first = training.done
  const isCancelled = () => state === 'cancelled'
  const tell = () => {
    const { done, steps } = training
    // batches are alike: the rest is taken to be as long as what was done
    const left = done === first ? undefined : spent / (done - first) * (steps - done)
    onProgress({ done, steps, loss: training.loss, left, paused: state === 'paused' })
  }
  const change = (to: typeof state) => {
    if (isCancelled() || state === to) return
    state = to
    wake()
    if (!isCancelled()) tell()
  }
  async function run(): Promise<ClientResult | undefined> {
    try {
      tell()
      while (!isCancelled()) {
        await host.pause?.()
        while (state === 'paused') await new Promise<void>(resolve => { wake = resolve })
        if (isCancelled()) break
        const started = host.now()
        if (!training.step()) return training.finish()
        spent += host.now() - started
        tell()
      }
      return undefined
    } finally {
      training.close({ undo: isCancelled() })
    }
  }
  return Object.freeze({
    result: run(),
    pause: () => change('paused'),
    resume: () => change('running'),
    cancel: () => change('cancelled'),
  })
}
