/** A runtime without any store. */
import { openStore } from '../../src/runtime/browser-store.ts'

export async function main(): Promise<{ store: string | null }> {
  return { store: (await openStore('sotto-files'))?.kind ?? null }
}
