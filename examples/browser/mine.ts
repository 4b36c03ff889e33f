/** The visitor's own mails and filter, kept in this browser alone: one record of IndexedDB. */
import type { Mail } from '../filter/filter.ts'
import type { Outcome } from './messages.ts'

/** What is kept. */
export interface Mine {
  readonly mails: readonly Mail[]
  /** A training that was interrupted. */
  readonly saved?: Uint8Array
  /** A filter that was trained, and what came of it. */
  readonly values?: Float32Array
  readonly contribution?: Outcome['contribution']
}

const NAME = 'sotto-mail-filter', STORE = 'mine'

export async function keepMine(mine: Mine): Promise<void> { await change(store => store.put(mine, 'mine')) }

export async function forgetMine(): Promise<void> { await change(store => store.delete('mine')) }

export async function readMine(): Promise<Mine | undefined> { return change(store => store.get('mine')) as Promise<Mine | undefined> }

async function change(work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, 'readwrite'), request = work(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error)
    })
  } finally {
    database.close()
  }
}
