/** A thread in Deno: serves what the main thread asks for. */
import { parentPort } from 'node:worker_threads'
import { deno } from './deno.ts'
import { portChannel } from './node-channel.ts'
import { serveThread } from './serve-thread.ts'

serveThread(deno(), portChannel(parentPort!))
