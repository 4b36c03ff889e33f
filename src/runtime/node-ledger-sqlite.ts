/**
 * A ledger in one SQLite file, where Node has SQLite (22.13 and later): entry, model and head in one transaction of the
 * database, synced before it counts.
 * @module
 */
import { resolve } from 'node:path'
import { FormatError } from '../errors.ts'
import { parseEntry } from '../privacy/ledger/index.ts'
import { isNext, type KeepOptions, type LedgerStore } from '../privacy/ledger/store.ts'
import { nodeDisk } from './node-disk.ts'
import { lockFolder } from './node-lock.ts'

export interface SqliteLedgerOptions extends KeepOptions {
  /** Takes no lock and changes nothing; for auditors. */
  readonly readOnly?: boolean
  /** Runs each statement; for tests. */
  readonly step?: <T>(name: string, run: () => T) => T
}

/** What is used of `node:sqlite`. */
interface Database {
  exec(sql: string): void
  prepare(sql: string): { run(...values: unknown[]): unknown, get(...values: unknown[]): unknown, all(...values: unknown[]): unknown[] }
  close(): void
}
type Sqlite = { DatabaseSync: new (path: string, options?: { readOnly?: boolean }) => Database }

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS entries (number INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS blobs (kind TEXT NOT NULL, hash TEXT NOT NULL, release INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (kind, hash)) STRICT;
  CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;`

/** Whether this Node has SQLite. */
export async function hasSqlite(): Promise<boolean> {
  return (await load()) !== undefined
}

/**
 * Opens a file for a ledger; makes it if need be.
 * @throws {Error} where there is no SQLite, or when another process has it for writing
 * @throws {FormatError} when the ledger was cut off
 */
export async function sqliteLedger(path: string, options: SqliteLedgerOptions = {}): Promise<LedgerStore> {
  const { keep = 'all', readOnly = false, step = (_, run) => run() } = options
  const sqlite = await load()
  if (sqlite === undefined) throw new Error(`"sqlite" expected Node 22.13 or later, got ${process.versions.node}; use nodeLedger, which needs none`)
  const file = resolve(path), lockPath = `${file}-lock`
  if (!readOnly) nodeDisk.makeFolder(lockPath)
  const lock = readOnly ? undefined : lockFolder(nodeDisk, lockPath)
  let database: Database | undefined
  try {
    database = new sqlite.DatabaseSync(file, { readOnly })
    if (!readOnly) {
      database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA fullfsync = 1')
      step('schema', () => database!.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`))
    }
    texts(database)
  } catch (error) {
    database?.close()
    lock?.release()
    throw error
  }
  const db = database
  let usable = !readOnly, closed = false
  return {
    writable: !readOnly,
    read: async () => texts(db),
    async blob(kind, hash) {
      const row = db.prepare('SELECT bytes FROM blobs WHERE kind = ? AND hash = ?').get(kind, hash) as { bytes: Uint8Array } | undefined
      return row && new Uint8Array(row.bytes)
    },
    async commit(number, text, blobs) {
      if (!usable) throw new Error('"ledger" expected to be open for writing and whole, got one that is not; open it again')
      usable = false
      step('begin', () => db.exec('BEGIN IMMEDIATE'))
      const { count } = db.prepare('SELECT count(*) AS count FROM entries').get() as { count: number }
      isNext(number, count)
      step('entry', () => db.prepare('INSERT INTO entries VALUES (?, ?)').run(number, text))
      for (const { kind, hash, bytes } of blobs) {
        step(kind, () => db.prepare('INSERT INTO blobs VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET release = excluded.release').run(kind, hash, number, bytes))
      }
      if (blobs.length > 0) {
        step('prune', () => {
          db.prepare("DELETE FROM blobs WHERE kind = 'state' AND release < ?").run(number)
          if (keep !== 'all') {
            db.prepare(`DELETE FROM blobs WHERE kind = 'model' AND release NOT IN
              (SELECT release FROM blobs WHERE kind = 'model' ORDER BY release DESC LIMIT ?)`).run(Math.max(1, keep))
          }
        })
      }
      step('head', () => db.prepare('INSERT INTO head VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET number = excluded.number, hash = excluded.hash')
        .run(number, parseEntry(text, number).hash))
      step('commit', () => db.exec('COMMIT'))
      usable = true
    },
    async close() {
      if (closed) return
      closed = true
      usable = false
      db.close()
      lock?.release()
    },
  }
}

function texts(db: Database): string[] {
  const rows = db.prepare('SELECT number, text FROM entries ORDER BY number').all() as { number: number, text: string }[]
  const head = db.prepare('SELECT number, hash FROM head').get() as { number: number, hash: string } | undefined
  const last = rows[rows.length - 1]
  if (head?.number !== last?.number || rows.some((row, i) => row.number !== i) ||
    (head && parseEntry(last.text, head.number).hash !== head.hash)) {
    throw new FormatError(`the ledger expected its last entry to be ${head?.number ?? 'none'}, as its head says, got ${last?.number ?? 'none'}; ` +
      'it was cut off or changed: restore it from a copy')
  }
  return rows.map(row => row.text)
}

async function load(): Promise<Sqlite | undefined> {
  // a name that is not a literal: bundlers and older versions do not know the module
  const name = 'node:sqlite'
  return import(name).then((module: Sqlite) => module, () => undefined)
}
