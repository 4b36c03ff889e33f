/** A thread in Bun: serves what the main thread asks for. */
import { bun } from './bun.ts'
import { serveThread } from './serve-thread.ts'
import { scopeChannel } from './web-channel.ts'

serveThread(bun(), scopeChannel())
