/**
 * Notes where a browser keeps files.
 * @module
 */
import type { Notes } from '../host.ts'
import { openStore } from './browser-store.ts'

/** Notes of this page's origin; none are kept where the browser keeps nothing. */
export function browserNotes(): Notes {
  let opened: ReturnType<typeof openStore> | undefined
  const store = () => opened ??= openStore('sotto-notes')
  return Object.freeze({
    get: async (key: string) => (await (await store())?.get(key))?.text(),
    set: async (key: string, text: string) => { await (await store())?.put(key, new Blob([text])) },
  })
}
