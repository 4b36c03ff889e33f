/**
 * Messages between a page or script and its workers, as browsers, Deno and Bun have them.
 * @module
 */
import type { Channel } from '../host.ts'
import { keepAliveWhileDue } from './keep-alive.ts'

/** What is used of a worker's own global scope. */
interface WorkerScope {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  close(): void
}

/** To a worker that was started. */
export function workerChannel(worker: Worker): Channel {
  let hear: (message: never) => void = () => {}
  let fail: (error: Error) => void = () => {}
  worker.addEventListener('message', event => {
    due.answered()
    hear(event.data as never)
  })
  worker.addEventListener('error', event => {
    // told to the listener: it is not to end the program as well
    event.preventDefault()
    fail(new Error(event.message || 'thread expected to start, but its script could not be loaded; check where the thread script lies and the content policy (worker-src)'))
  })
  worker.addEventListener('messageerror', () => fail(new Error('thread expected a message that can be copied, got one that cannot')))
  const due = keepAliveWhileDue(worker as Worker & { ref?(): void, unref?(): void })
  return {
    post(message, transfer = []) {
      worker.postMessage(message, [...transfer])
      due.asked()
    },
    onMessage<M>(listener: (message: M) => void) { hear = listener },
    onError(listener) { fail = listener },
    close: () => worker.terminate(),
  }
}

/** In a worker, to what started it. */
export function scopeChannel(): Channel {
  const scope = globalThis as unknown as WorkerScope
  let hear: (message: never) => void = () => {}
  scope.addEventListener('message', event => hear(event.data as never))
  return {
    post: (message, transfer = []) => scope.postMessage(message, [...transfer]),
    onMessage<M>(listener: (message: M) => void) { hear = listener },
    onError: () => {},
    close: () => scope.close(),
  }
}
