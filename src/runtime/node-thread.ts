/** A thread in Node: serves what the main thread asks for. */
import { parentPort } from 'node:worker_threads'
import { node } from './node.ts'
import { portChannel } from './node-channel.ts'
import { serveThread } from './serve-thread.ts'

serveThread(node(), portChannel(parentPort!))
