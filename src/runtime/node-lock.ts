/**
 * One writer at a time for a folder, also after a writer was killed.
 *
 * The file `lock-N` with the highest N says who holds the folder. Taking over means making `lock-(N+1)`, which only one
 * can do; nobody removes the highest one, so a name is never used again. The holder is dead if its process is gone or
 * is another one by now; a holder on another machine, or in another container, is never taken for dead.
 * @module
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf, type Disk } from './node-disk.ts'

/** A folder that is held. */
export interface Lock { release(): void }

interface Holder {
  readonly host: string
  readonly pid: number
  /** When the process started, where the system tells; numbers of processes are used again. */
  readonly started: string
}

let counter = 0

/**
 * Takes a folder for writing.
 * @throws {Error} when another process, or this one, has it
 */
export function lockFolder(disk: Disk, folder: string): Lock {
  const mine = highest(disk, folder)
  if (mine.holder !== undefined && !isGone(mine.holder)) throw held(folder, mine.holder)
  const number = mine.number + 1
  const name = join(folder, `lock-${number}`)
  const draft = join(folder, `taking-${process.pid}-${counter++}`)
  const self: Holder = { host: hostname(), pid: process.pid, started: startOf(process.pid) }
  try {
    disk.write(draft, new TextEncoder().encode(JSON.stringify(self)))
    disk.sync(draft)
    disk.link(draft, name)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error
    throw held(folder, highest(disk, folder).holder)
  } finally {
    disk.remove(draft)
  }
  if (highest(disk, folder).number !== number) {
    disk.remove(name)
    throw held(folder, highest(disk, folder).holder)
  }
  for (const other of disk.list(folder)) {
    if (/^taking-/.test(other) || (numberOf(other) ?? number) < number) disk.remove(join(folder, other))
  }
  // the name stays, without a holder: it is the highest
  return { release: () => { disk.write(name, new Uint8Array()) } }
}

function highest(disk: Disk, folder: string): { number: number, holder: Holder | undefined } {
  const number = Math.max(0, ...disk.list(folder).map(name => numberOf(name) ?? 0))
  const bytes = number === 0 ? undefined : disk.read(join(folder, `lock-${number}`))
  return { number, holder: bytes === undefined || bytes.length === 0 ? undefined : holderOf(bytes) }
}

function numberOf(name: string): number | undefined {
  const match = /^lock-(\d{1,15})$/.exec(name)
  return match === null ? undefined : Number(match[1])
}

/** A lock that cannot be read counts as held by nobody knows whom. */
function holderOf(bytes: Uint8Array): Holder {
  try {
    const { host, pid, started } = JSON.parse(new TextDecoder().decode(bytes)) as Holder
    return { host: String(host), pid: Number(pid), started: String(started) }
  } catch {
    return { host: 'unknown', pid: 0, started: '' }
  }
}

function isGone({ host, pid, started }: Holder): boolean {
  if (host !== hostname() || !(pid > 0)) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
  return started !== '' && startOf(pid) !== started
}

/** Boot and tick at which a process started, on Linux; elsewhere empty. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // the second field is the program's name in brackets and may hold anything
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${ticks}`
  } catch {
    return ''
  }
}

function held(folder: string, holder: Holder | undefined): Error {
  return new Error(`"${folder}" expected to be open for writing once, but ${holder === undefined ? 'another process' : `process ${holder.pid} of ${holder.host}`} ` +
    'has it; stop that one first, or open the ledger for reading. Only if it is certain to be gone: remove the newest lock file')
}
