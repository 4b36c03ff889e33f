/**
 * A disk in memory that can lose power: contents that were not synced are lost from some byte on, or lie there as
 * zeros, and of the changes of names that were not synced any part is lost, in any order; a single one, such as a
 * rename, is whole or not at all.
 */
import { basename, dirname } from 'node:path'
import type { Disk } from '../../../src/runtime/node-disk.ts'
import type { Rng } from '../../support/rng.ts'

interface Inode {
  now: Uint8Array
  synced: Uint8Array
}

/** Thrown in place of the end of the process. */
export class PowerCut extends Error {}

export interface FakeDisk extends Disk {
  /** Steps so far. */
  readonly steps: number
  /** Power is cut before this step, or in its middle. */
  cutAt: number
  /** What is there when power is back. */
  restart(): void
}

export function fakeDisk(random: Rng, lose = true): FakeDisk {
  let now = new Map<string, Inode>()
  const synced = new Map<string, Inode>()
  /** Changes of names since they were last synced. */
  let pending: { path: string, apply: (names: Map<string, Inode>) => void }[] = []
  const change = (path: string, apply: (names: Map<string, Inode>) => void) => {
    apply(now)
    pending.push({ path, apply })
  }
  let steps = 0
  const step = <T>(run: () => T, half?: () => void): T => {
    steps++
    if (steps === disk.cutAt) {
      const where = random.int(0, 2)
      if (where === 1) half?.()
      if (where === 2) run()
      throw new PowerCut(`before, in or after step ${steps}`)
    }
    return run()
  }
  const at = (path: string): Inode => {
    const inode = now.get(path)
    if (inode === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
    return inode
  }
  const writeTo = (path: string, bytes: Uint8Array, from: number) => {
    const inode = now.get(path) ?? { now: new Uint8Array(), synced: new Uint8Array() }
    const content = new Uint8Array(from + bytes.length)
    content.set(inode.now.subarray(0, from))
    content.set(bytes, from)
    inode.now = content
    if (!now.has(path)) change(path, names => names.set(path, inode))
  }
  const disk: FakeDisk = {
    get steps() { return steps },
    cutAt: Infinity,
    restart() {
      disk.cutAt = Infinity
      // or only the process had ended, and what was not synced may still be lost by the next cut
      if (!lose || random.int(0, 2) === 0) return
      for (const { apply } of pending) if (random.int(0, 1) === 0) apply(synced)
      pending = []
      for (const inode of new Set(synced.values())) {
        inode.now = afterCut(inode, random)
        inode.synced = inode.now
      }
      now = new Map(synced)
    },
    makeFolder: () => {},
    list: (folder) => [...now.keys()].filter(path => dirname(path) === folder).map(path => basename(path)),
    read: (path) => now.get(path)?.now.slice(),
    write: (path, bytes) => step(() => writeTo(path, bytes, 0), () => writeTo(path, bytes.subarray(0, random.int(0, bytes.length)), 0)),
    append(path, bytes, expected) {
      const length = now.get(path)?.now.length ?? 0
      if (length !== expected) throw new Error(`expected ${expected} bytes, got ${length}`)
      step(() => writeTo(path, bytes, length), () => writeTo(path, bytes.subarray(0, random.int(0, bytes.length)), length))
    },
    truncate: (path, length) => step(() => { at(path).now = at(path).now.slice(0, length) }),
    sync: (path) => step(() => { at(path).synced = at(path).now }),
    rename: (from, to) => step(() => {
      const inode = at(from)
      change(to, names => { names.delete(from); names.set(to, inode) })
    }),
    link: (from, to) => step(() => {
      if (now.has(to)) throw Object.assign(new Error(`${to} is there`), { code: 'EEXIST' })
      const inode = at(from)
      change(to, names => { names.set(to, inode) })
    }),
    remove: (path) => step(() => change(path, names => { names.delete(path) })),
    syncFolder: (path) => step(() => {
      for (const entry of pending) if (dirname(entry.path) === path) entry.apply(synced)
      pending = pending.filter(entry => dirname(entry.path) !== path)
    }),
  }
  return disk
}

/** Any length between the two, the new part possibly zeros: file systems grow a file before they fill it. */
function afterCut({ now, synced }: Inode, random: Rng): Uint8Array {
  if (now === synced) return now
  const length = random.int(Math.min(now.length, synced.length), Math.max(now.length, synced.length))
  const out = new Uint8Array(length)
  out.set((now.length >= length ? now : synced).subarray(0, length))
  // what was added or cut off at the end leaves the rest as it is; what was written anew does not
  const common = Math.min(now.length, synced.length)
  const kept = synced.subarray(0, common).every((byte, i) => byte === now[i]) ? Math.min(common, length) : 0
  if (random.int(0, 2) === 0) out.fill(0, random.int(kept, length))
  return out
}
