/**
 * Where a browser keeps large files: its private file system (OPFS), or IndexedDB where that is not to be had.
 * @module
 */

/** Files by key. Whoever reads checks what it gets: a file may be cut off or changed. */
export interface FileStore {
  readonly kind: 'opfs' | 'indexeddb'
  get(key: string): Promise<Blob | undefined>
  /** Rejects where there is no room (QuotaExceededError) or somebody else is writing the same. */
  put(key: string, content: Blob): Promise<void>
  delete(key: string): Promise<void>
  /** Everything of this store. */
  clear(): Promise<void>
}

/** The best store that this thread can use; undefined where there is none, as in some private windows. */
export async function openStore(name: string, kind?: FileStore['kind']): Promise<FileStore | undefined> {
  const opfs = kind === 'indexeddb' ? undefined : await openOpfs(name).catch(() => undefined)
  return opfs ?? (kind === 'opfs' ? undefined : await openIndexedDb(name).catch(() => undefined))
}

/** What TypeScript's library leaves out: handles of dedicated workers that write without waiting. */
interface SyncFileHandle {
  createSyncAccessHandle?(): Promise<{
    write(bytes: Uint8Array, options: { at: number }): number
    // older browsers give a promise of these
    truncate(size: number): void | Promise<void>
    flush(): void | Promise<void>
    close(): void | Promise<void>
  }>
}

/** Bytes that are written at a time. */
const PIECE = 4 * 2 ** 20

async function openOpfs(name: string): Promise<FileStore | undefined> {
  const root = await navigator.storage?.getDirectory?.()
  if (root === undefined) return undefined
  const folder = await root.getDirectoryHandle(name, { create: true })
  const proto = globalThis.FileSystemFileHandle?.prototype as (SyncFileHandle & { createWritable?: unknown }) | undefined
  // a page can write only where there is createWritable; a dedicated worker has the quicker handle
  if (!proto?.createSyncAccessHandle && !proto?.createWritable) return undefined
  return {
    kind: 'opfs',
    get: key => folder.getFileHandle(key).then(handle => handle.getFile(), undefinedIfNotFound),
    async put(key, content) {
      await writeFile(await folder.getFileHandle(key, { create: true }), content)
    },
    delete: key => folder.removeEntry(key).catch(undefinedIfNotFound),
    clear: () => root.removeEntry(name, { recursive: true }).catch(undefinedIfNotFound),
  }
}

async function writeFile(handle: FileSystemFileHandle & SyncFileHandle, content: Blob): Promise<void> {
  // throws where another thread or tab is writing
  const file = await handle.createSyncAccessHandle?.()
  if (file === undefined) {
    const stream = await handle.createWritable()
    await stream.write(content)
    return stream.close()
  }
  try {
    await file.truncate(0)
    for (let at = 0; at < content.size;) {
      const bytes = new Uint8Array(await content.slice(at, at + PIECE).arrayBuffer())
      const count = file.write(bytes, { at })
      if (count === 0) throw new Error('the file system took no more bytes')
      at += count
    }
    await file.flush()
  } catch (error) {
    // what was begun would only take room
    await file.truncate(0)
    throw error
  } finally {
    await file.close()
  }
}

function undefinedIfNotFound(error: unknown): undefined {
  if ((error as Error).name !== 'NotFoundError') throw error
}

async function openIndexedDb(name: string): Promise<FileStore> {
  const opening = indexedDB.open(name, 1)
  opening.addEventListener('upgradeneeded', () => { opening.result.createObjectStore('files') })
  const database = await done(opening)
  const files = (mode: IDBTransactionMode) => {
    const transaction = database.transaction('files', mode)
    return { store: transaction.objectStore('files'), transaction }
  }
  const change = async (work: (store: IDBObjectStore) => void) => {
    const { store, transaction } = files('readwrite')
    work(store)
    // a write has room only when its transaction is complete
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve())
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('the database refused')))
    })
  }
  return {
    kind: 'indexeddb',
    async get(key) {
      const value = await done(files('readonly').store.get(key)) as unknown
      return value instanceof ArrayBuffer ? new Blob([value]) : undefined
    },
    async put(key, content) {
      // not as a Blob: WebKit refuses those in some windows
      const bytes = await content.arrayBuffer()
      await change(store => store.put(bytes, key))
    },
    delete: key => change(store => store.delete(key)),
    clear: () => change(store => store.clear()),
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('the database failed')))
  })
}
