/**
 * The few things that a ledger asks of a disk, each one step: tests stop a process before and after every step, and put
 * a disk in their place that loses what was not synced.
 * @module
 */
import {
  closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, linkSync, mkdirSync, openSync, readdirSync, readFileSync,
  renameSync, rmSync, writeSync,
} from 'node:fs'

/** Files by path. Nothing survives a power cut for certain before its `sync` or, for names, `syncFolder`. */
export interface Disk {
  makeFolder(path: string): void
  /** Names in a folder. */
  list(folder: string): string[]
  /** Undefined where there is no such file. */
  read(path: string): Uint8Array | undefined
  /** Writes a file anew. */
  write(path: string, bytes: Uint8Array): void
  /** Adds to the end of a file, which has to be `expected` bytes long; it is made if that is 0. */
  append(path: string, bytes: Uint8Array, expected: number): void
  truncate(path: string, length: number): void
  sync(path: string): void
  /** Takes the place of a file that is there. */
  rename(from: string, to: string): void
  /** Another name for a file. @throws with the code EEXIST where the name is taken */
  link(from: string, to: string): void
  /** No error where there is no such file. */
  remove(path: string): void
  syncFolder(path: string): void
}

/** The disk of the machine. */
export const nodeDisk: Disk = {
  makeFolder: (path) => { mkdirSync(path, { recursive: true }) },
  list: (folder) => existsSync(folder) ? readdirSync(folder) : [],
  read(path) {
    try {
      return new Uint8Array(readFileSync(path))
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
      throw error
    }
  },
  write: (path, bytes) => opened(path, 'w', (file) => writeAll(file, bytes)),
  append: (path, bytes, expected) => opened(path, 'a', (file) => {
    const { size } = fstatSync(file)
    if (size !== expected) throw new Error(`"${path}" expected ${expected} bytes, got ${size}: somebody else has written to it; open it again`)
    writeAll(file, bytes)
  }),
  truncate: (path, length) => opened(path, 'r+', (file) => ftruncateSync(file, length)),
  sync: (path) => opened(path, 'r+', fsyncSync),
  rename: renameSync,
  link: linkSync,
  remove: (path) => rmSync(path, { force: true }),
  syncFolder(path) {
    // Windows opens no folders; its file systems order names themselves
    if (process.platform !== 'win32') opened(path, 'r', fsyncSync)
  },
}

/** The code of a system error, e.g. ENOENT. */
export function codeOf(error: unknown): string | undefined { return (error as { code?: string } | null)?.code }

function opened(path: string, flags: string, use: (file: number) => void): void {
  const file = openSync(path, flags)
  try {
    use(file)
  } finally {
    closeSync(file)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done)
}
