/** A thread of a simulation in Node: serves jobs from the main thread. */
import { parentPort } from 'node:worker_threads'
import { serveThread } from './serve-thread.ts'
import { node } from './node.ts'

const port = parentPort!
serveThread(node(), {
  post: (message, transfer = []) => port.postMessage(message, [...transfer]),
  onMessage: listener => { port.on('message', listener) },
  onError: () => {},
  close: () => port.close(),
})
