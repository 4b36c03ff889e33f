// Programs that end with everything that they started, and temporary folders that go with them.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Process groups and folders that are to go when this process does. */
const groups = new Set(), folders = new Set()
let watching = false

function watch() {
  if (watching) return
  watching = true
  process.once('exit', () => {
    for (const id of groups) kill(id, 'SIGKILL')
    for (const folder of folders) remove(folder)
  })
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) process.once(signal, () => process.exit(code))
}

/** True where there was somebody to get the signal. */
function kill(group, signal) {
  try {
    process.kill(-group, signal)
    return true
  } catch {
    return false
  }
}

const remove = (folder) => rmSync(folder, { recursive: true, force: true })

/** A browser's last helper may still write. */
async function removeInTheEnd(folder) {
  for (let look = 0; ; look++) {
    try {
      return remove(folder)
    } catch (error) {
      if (look === 100) throw error
      await pause(100)
    }
  }
}

/** Calls `use` with a new folder, which is gone afterwards. */
export async function withFolder(use) {
  watch()
  const folder = mkdtempSync(join(tmpdir(), 'sotto-runtime-'))
  folders.add(folder)
  try {
    return await use(folder)
  } finally {
    await removeInTheEnd(folder)
    folders.delete(folder)
  }
}

/** A runtime that died or never began: nothing was computed, neither right nor wrong. */
export class Crash extends Error {}

/** A process that ended without a result: stopped by a signal it crashed, else it is the program that ended it. */
export const ended = (name, how) => new (how.startsWith('stopped by') ? Crash : Error)(`${name} expected a result, but it ${how}`)

/** Starts of a runtime that crashes. */
const STARTS = 3

/** Calls `work`, again where it throws a Crash: three times at most, and aloud. Any other error, and any result, stands. */
export async function restarting(name, work) {
  for (let number = 1; ; number++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Crash) || number === STARTS) throw error
      console.error(`\nNOTE: ${name} is started again, ${number + 1} of ${STARTS}: ${error.message.split('\n')[0]}`)
    }
  }
}

/**
 * Starts a program in a process group of its own.
 *
 * @param {string[]} command
 * @param {{ cwd?: string, env?: Record<string, string>, stdio?: import('node:child_process').StdioOptions, grace?: number }} [options] -
 *   grace: milliseconds that it gets to end by itself
 * @returns {{ child: import('node:child_process').ChildProcess, ended: Promise<string>, output(): string, end(): Promise<void> }}
 *   ended: how it ended, in words; output: the last of what it printed; end: stops the whole group
 */
export function start([file, ...args], { cwd, env, stdio = ['ignore', 'pipe', 'pipe'], grace = 0 } = {}) {
  watch()
  const child = spawn(file, args, { cwd, env, stdio, detached: true })
  const chunks = []
  let size = 0
  const keep = (chunk) => {
    chunks.push(chunk)
    for (size += chunk.length; size > 200_000 && chunks.length > 1;) size -= chunks.shift().length
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not start: ${error.message}`))
    child.once('close', (code, signal) => resolve(signal ? `stopped by ${signal}` : `ended with ${code}`))
  })
  if (child.pid !== undefined) groups.add(child.pid)
  return {
    child, ended,
    output: () => Buffer.concat(chunks).toString('utf8').trim(),
    async end() {
      if (child.pid === undefined) return
      if (grace > 0 && kill(child.pid, 'SIGTERM')) await Promise.race([ended, pause(grace)])
      // the first process may be gone and its helpers not; dead ones that nobody waits for take signals for ever
      for (let look = 0; look < 500 && kill(child.pid, 'SIGKILL'); look++) await pause(20)
      groups.delete(child.pid)
    },
  }
}

/** The value of a promise; an error that names what was waited for if it takes longer than `seconds`. */
export async function within(seconds, what, promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} expected to end within ${seconds} s, got nothing; give it a longer timeout or look for what waits`)), seconds * 1000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
