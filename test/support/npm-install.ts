/** Installs with npm, whose registry may not answer the first time. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'

const TIMES = 4

/** What npm says where the network, not the package, is to blame. */
const NETWORK = /\b(ECONN\w+|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ENETUNREACH|EPIPE|ERR_SOCKET_TIMEOUT|E429|E5\d\d|network|socket)\b/i

/** Calls `install`, which throws with what npm said; again, four times in all and aloud, where the network failed. */
export async function installed(project: string, install: () => void): Promise<void> {
  for (let time = 1; ; time++) {
    try {
      return install()
    } catch (error) {
      const { message } = error as Error
      if (time === TIMES || !NETWORK.test(message)) throw error
      console.log(`\nNOTE: npm install is tried again, ${time + 1} of ${TIMES}: ${message.split('\n')[0]}`)
      rmSync(join(project, 'node_modules'), { recursive: true, force: true })
      await new Promise(resolve => setTimeout(resolve, time * 10_000))
    }
  }
}
