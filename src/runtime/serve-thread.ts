/**
 * The life of a thread, whatever the runtime calls it: each adapter's thread file is one call of this.
 * @module
 */
import type { Channel, Host } from '../host.ts'
import { serveJobs } from '../simulation/worker.ts'
import type { Hello, JobMessage } from '../simulation/worker.ts'
import { serveTeam } from '../wasm/member.ts'
import type { TeamHello } from '../wasm/member.ts'

/** Serves what the first message asks for, until the channel closes: a step's kernel calls, or a simulation's jobs. */
export function serveThread(host: Host, channel: Channel): void {
  const doJob = serveJobs(host, channel)
  channel.onMessage((message: TeamHello | Hello | JobMessage) => {
    if ('team' in message) void serveTeam(host, channel, message)
    else doJob(message)
  })
}
