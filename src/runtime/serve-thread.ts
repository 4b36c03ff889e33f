/**
 * The life of a thread, whatever the runtime calls it: each adapter's thread file is one call of this.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import { serveJobs } from '../simulation/worker.ts'

/** Serves what the first message asks for, until the channel closes. */
export function serveThread(host: Host, channel: Channel): void {
  serveJobs(host, channel)
}
