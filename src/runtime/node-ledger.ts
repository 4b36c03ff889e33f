/**
 * A ledger in a folder:
 *
 * ```
 * ledger.jsonl          one entry a line; only ever added to
 * head.json             number and hash of the last entry: tells a cut file from a whole one
 * model-HASH.bin        released models; state-HASH.bin: what else the last release needs to go on
 * *.draft               not released, or not yet renamed
 * lock-N                who writes
 * ```
 *
 * A commit writes the blobs as drafts and syncs them, adds the line and syncs it (from here on it is committed), gives
 * the blobs their names, and moves the head. Opening for writing finishes what was committed and removes what was not:
 * - a line without its end, or a damaged one that the head does not know, was never committed and is cut off;
 * - drafts that the last entry names get their names; the others are removed;
 * - a head that knows more than the ledger holds, or a model that no entry names, means that the ledger was cut off or
 *   set back behind its models: that is refused, not repaired.
 * @module
 */
import { basename, dirname, join, resolve } from 'node:path'
import { canonicalJson, hashBytes } from '../canonical.ts'
import { FormatError } from '../errors.ts'
import { parseEntry, type LedgerEntry } from '../privacy/ledger/index.ts'
import { isNext, type KeepOptions, type LedgerBlob, type LedgerStore } from '../privacy/ledger/store.ts'
import { nodeDisk, type Disk } from './node-disk.ts'
import { lockFolder, type Lock } from './node-lock.ts'

export interface NodeLedgerOptions extends KeepOptions {
  /** Takes no lock and changes nothing; for auditors. */
  readonly readOnly?: boolean
  /** For tests. */
  readonly disk?: Disk
}

/**
 * Opens a folder for a ledger; makes it if need be.
 * @throws {Error} when another process has it for writing
 * @throws {FormatError} when the ledger was cut off or set back
 */
export function nodeLedger(path: string, options: NodeLedgerOptions = {}): LedgerStore {
  const { keep = 'all', readOnly = false, disk = nodeDisk } = options
  const folder = resolve(path)
  if (readOnly) return reader(disk, folder)
  disk.makeFolder(folder)
  const lock = lockFolder(disk, folder)
  try {
    return writer(disk, folder, keep, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** A ledger's lines and its head, for an audit; `path`: a folder, or a file of lines, with its head beside it if it has one. */
export function readLedgerFile(path: string, disk: Disk = nodeDisk): { lines: readonly string[], head: string | undefined } {
  const file = disk.read(join(path, LINES)) === undefined ? resolve(path) : join(resolve(path), LINES)
  const bytes = disk.read(file)
  if (bytes === undefined) throw new Error(`"${path}" expected a ledger's file or folder, got none there`)
  const head = basename(file) === LINES ? disk.read(join(dirname(file), HEAD)) : undefined
  const { lines, torn } = linesOf(bytes)
  // a line that was cut off is shown to the auditor unless it is known not to have been committed
  const known = head && headOf(head)
  return { lines: torn === '' || (known && known.number < lines.length) ? lines : [...lines, torn], head: known && lines.length > known.number + 1 ? undefined : known?.hash }
}

const LINES = 'ledger.jsonl'
const HEAD = 'head.json'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const nameOf = (kind: LedgerBlob['kind'], hash: string): string => `${kind}-${hash}.bin`

interface Head { readonly number: number, readonly hash: string }

/** What a folder holds, with what was never committed left out. */
interface Contents {
  readonly lines: readonly string[]
  /** Bytes of the lines, and of the file. */
  readonly length: number
  readonly fileLength: number
  readonly last: LedgerEntry | undefined
  readonly head: Head | undefined
}

function contentsOf(disk: Disk, folder: string): Contents {
  // the head first: a writer moves it last, so what it knows is in the lines that are read afterwards
  const headBytes = disk.read(join(folder, HEAD))
  const head = headBytes && headOf(headBytes)
  const bytes = disk.read(join(folder, LINES)) ?? new Uint8Array()
  const { lines } = linesOf(bytes)
  const known = head === undefined ? 0 : head.number + 1
  let last: LedgerEntry | undefined
  if (lines.length > 0) {
    try {
      last = parseEntry(lines[lines.length - 1], lines.length - 1)
    } catch (error) {
      // not all of the line reached the disk: it was never committed, since the head would know it
      if (lines.length - 1 !== known) throw error
      lines.pop()
      if (lines.length > 0) last = parseEntry(lines[lines.length - 1], lines.length - 1)
    }
  }
  if (lines.length < known || lines.length > known + 1) {
    throw new FormatError(`the ledger in ${folder} expected ${known} entries as its head says, or one more, got ${lines.length}; ` +
      'it was cut off or added to from outside: restore it and its models from one copy')
  }
  if (head !== undefined && parseEntry(lines[head.number], head.number).hash !== head.hash) {
    throw new FormatError(`the ledger in ${folder} expected entry ${head.number} to be ${head.hash} as its head says, got another; it was changed`)
  }
  const length = lines.reduce((sum, line) => sum + encode(line).length + 1, 0)
  return { lines, length, fileLength: bytes.length, last, head }
}

/** A reader may meet a writer at work, whose head and lines are then of different moments: it looks again. */
function settled(disk: Disk, folder: string): Contents {
  for (let left = 4; ; left--) {
    try {
      return contentsOf(disk, folder)
    } catch (error) {
      if (left === 0 || !(error instanceof FormatError)) throw error
    }
  }
}

function linesOf(bytes: Uint8Array): { lines: string[], torn: string } {
  const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\n')
  const torn = lines.pop()!
  return { lines, torn }
}

function headOf(bytes: Uint8Array): Head {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  try {
    const { number, hash } = JSON.parse(text) as Head
    if (headText({ number, hash }) === text && Number.isSafeInteger(number) && number >= 0 && /^[0-9a-f]{64}$/.test(hash)) return { number, hash }
  } catch { /* falls through */ }
  throw new FormatError(`the ledger's ${HEAD} was changed or damaged, got ${JSON.stringify(text.slice(0, 80))}`)
}

const headText = ({ number, hash }: Head): string => `${canonicalJson({ number, hash })}\n`

function reader(disk: Disk, folder: string): LedgerStore {
  return {
    writable: false,
    read: async () => settled(disk, folder).lines,
    commit: async () => { throw new Error('"ledger" expected to be open for writing, got one that is open for reading only') },
    blob: async (kind, hash) => blobOf(disk, folder, kind, hash),
    close: async () => {},
  }
}

/** A blob under its name; or as a draft, right after its entry was committed. */
function blobOf(disk: Disk, folder: string, kind: LedgerBlob['kind'], hash: string): Uint8Array | undefined {
  const path = join(folder, nameOf(kind, hash))
  const bytes = disk.read(path)
  if (bytes !== undefined) return bytes
  const draft = disk.read(`${path}.draft`)
  return draft !== undefined && hashBytes(draft) === hash && settled(disk, folder).lines.some(line => line.includes(hash)) ? draft : disk.read(path)
}

function writer(disk: Disk, folder: string, keep: number | 'all', lock: Lock): LedgerStore {
  const { lines, length: start } = recover(disk, folder)
  let length = start, count = lines.length, usable = true, closed = false
  const models = modelsOf(lines)
  return {
    writable: true,
    read: async () => contentsOf(disk, folder).lines,
    blob: async (kind, hash) => blobOf(disk, folder, kind, hash),
    async commit(number, text, blobs) {
      if (!usable) throw new Error('"ledger" expected to be open and whole, got one that was closed or whose last commit failed; open it again')
      isNext(number, count)
      usable = false
      const bytes = encode(`${text}\n`)
      for (const blob of blobs) draftBlob(disk, folder, blob)
      if (blobs.length > 0) disk.syncFolder(folder)
      const file = join(folder, LINES)
      disk.append(file, bytes, length)
      disk.sync(file)
      if (number === 0) disk.syncFolder(folder)
      nameBlobs(disk, folder, blobs)
      writeHead(disk, folder, { number, hash: parseEntry(text, number).hash })
      length += bytes.length
      count++
      usable = true
      for (const { kind, hash } of blobs) if (kind === 'model') models.push(hash)
      if (blobs.length > 0) prune(disk, folder, models, blobs, keep)
    },
    async close() {
      if (closed) return
      closed = true
      usable = false
      lock.release()
    },
  }
}

/** Finishes the last commit if it took place, removes what did not, and refuses what cannot come from a crash. */
function recover(disk: Disk, folder: string): Contents {
  const contents = contentsOf(disk, folder)
  const { lines, length, fileLength, last, head } = contents
  const file = join(folder, LINES)
  if (fileLength > length) disk.truncate(file, length)
  if (fileLength > 0) {
    // a line that a killed process wrote may be in memory only: neither a model's name nor the head may reach the disk first
    disk.sync(file)
    disk.syncFolder(folder)
  }
  const named = new Set<string>()
  for (let i = 1; i < lines.length; i++) for (const { kind, hash } of blobsOf(parseEntry(lines[i], i))) named.add(nameOf(kind, hash))
  for (const name of disk.list(folder)) {
    if (/^(model|state)-.*\.bin$/.test(name) && !named.has(name)) {
      throw new FormatError(`the ledger in ${folder} expected an entry for ${name}, got none: it was set back behind what was released; ` +
        'restore it and its models from one copy')
    }
  }
  if (last !== undefined) nameBlobs(disk, folder, blobsOf(last))
  for (const name of disk.list(folder)) if (name.endsWith('.draft')) disk.remove(join(folder, name))
  if (last !== undefined && last.number !== head?.number) writeHead(disk, folder, last)
  return contents
}

function blobsOf(entry: LedgerEntry): Omit<LedgerBlob, 'bytes'>[] {
  if (entry.kind !== 'release') return []
  return [{ kind: 'model', hash: entry.modelAfter }, ...(entry.stateAfter === undefined ? [] : [{ kind: 'state' as const, hash: entry.stateAfter }])]
}

function modelsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line, i) => blobsOf(parseEntry(line, i))).filter(({ kind }) => kind === 'model').map(({ hash }) => hash)
}

function draftBlob(disk: Disk, folder: string, { kind, hash, bytes }: LedgerBlob): void {
  const path = join(folder, nameOf(kind, hash))
  disk.write(`${path}.draft`, bytes)
  disk.sync(`${path}.draft`)
}

/** Renames drafts; where there is none, the name must be there already. */
function nameBlobs(disk: Disk, folder: string, blobs: readonly Omit<LedgerBlob, 'bytes'>[]): void {
  if (blobs.length === 0) return
  const there = new Set(disk.list(folder))
  for (const { kind, hash } of blobs) {
    const name = nameOf(kind, hash)
    if (there.has(`${name}.draft`)) disk.rename(join(folder, `${name}.draft`), join(folder, name))
    else if (!there.has(name)) throw new FormatError(`the ledger in ${folder} expected ${name}, which its last entry released, got no such file; restore it`)
  }
  disk.syncFolder(folder)
}

function writeHead(disk: Disk, folder: string, head: Head): void {
  const path = join(folder, HEAD)
  disk.write(`${path}.draft`, encode(headText(head)))
  disk.sync(`${path}.draft`)
  disk.rename(`${path}.draft`, path)
  disk.syncFolder(folder)
}

/** Removes models beyond those to keep, and state of earlier releases. */
function prune(disk: Disk, folder: string, models: readonly string[], last: readonly LedgerBlob[], keep: number | 'all'): void {
  const kept = new Set(last.map(({ kind, hash }) => nameOf(kind, hash)))
  for (const hash of keep === 'all' ? models : models.slice(-Math.max(1, keep))) kept.add(nameOf('model', hash))
  for (const name of disk.list(folder)) {
    if (/^(model|state)-.*\.bin$/.test(name) && !kept.has(name)) disk.remove(join(folder, name))
  }
}
