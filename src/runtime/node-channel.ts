/**
 * Messages to and from threads as Node has them; Deno has the same, and only these let its process end.
 * @module
 */
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Channel } from '../host.ts'
import { keepAliveWhileDue } from './keep-alive.ts'

/** To a thread that was started. */
export function nodeChannel(worker: Worker): Channel {
  let hear: (message: never) => void = () => {}
  let fail: (error: Error) => void = () => {}
  worker.on('message', message => {
    due.answered()
    hear(message as never)
  })
  worker.on('error', error => fail(error instanceof Error ? error : new Error(String(error))))
  let closed = false
  worker.on('exit', code => {
    if (!closed) fail(new Error(`thread expected to live until it is closed, but it ended with code ${code}`))
  })
  // after the listener, which would keep the process alive
  const due = keepAliveWhileDue(worker)
  return {
    post(message, transfer = []) {
      worker.postMessage(message, [...transfer])
      due.asked()
    },
    onMessage<M>(listener: (message: M) => void) { hear = listener },
    onError(listener) { fail = listener },
    close() {
      closed = true
      void worker.terminate()
    },
  }
}

/** In a thread, to what started it. */
export function portChannel(port: MessagePort): Channel {
  let hear: (message: never) => void = () => {}
  port.on('message', message => hear(message as never))
  return {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    onMessage<M>(listener: (message: M) => void) { hear = listener },
    onError: () => {},
    close: () => port.close(),
  }
}
