/** What a page does with its cache, step by step as the test asks. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'
import { openStore } from '../../src/runtime/browser-store.ts'
import type { FileStore } from '../../src/runtime/browser-store.ts'
import { browser, clearCache } from '../../src/runtime/browser.ts'
import type { BrowserOptions, FileEvent } from '../../src/runtime/browser.ts'

export interface Input {
  readonly kind: FileStore['kind']
  readonly file: string
  readonly hash: string
}

/** What reading came to: the length read, or the error; and where the file came from. */
export interface Outcome {
  readonly got: number | string
  readonly from: string
  readonly kept: boolean | undefined
  readonly problem: string
}

export async function main({ root, input }: Ground): Promise<Record<string, unknown>> {
  const { kind, file, hash } = input as Input, folder = `${root}/tiny-bert`
  const read = async (options: BrowserOptions): Promise<Outcome> => {
    const events: FileEvent[] = []
    const source = browser({ cache: { store: kind }, onFile: event => events.push(event), ...options }).folder(folder)
    const got = await source.read(file).then(bytes => bytes.length, (error: Error) => `${error.name}: ${error.message}`)
    const last = events.at(-1)
    return { got, from: last?.from ?? '', kept: last?.kept, problem: last?.problem ?? '' }
  }
  const hashes = { [file]: hash }
  const store = await openStore('sotto-files', kind)
  if (store === undefined) return { missing: true }
  const out: Record<string, unknown> = { kind: store.kind }
  const corrupt = async () => {
    const bytes = new Uint8Array(await (await store.get(hash))!.arrayBuffer())
    bytes[bytes.length >> 1] ^= 1
    await store.put(hash, new Blob([bytes]))
  }
  out.first = await read({ hashes })
  out.second = await read({ hashes })
  await corrupt()
  out.corrupted = await read({ hashes })
  out.repaired = await read({ hashes })
  await store.put(hash, new Blob([(await (await store.get(hash))!.arrayBuffer()).slice(0, 100)]))
  out.cut = await read({ hashes })
  out.wrong = await read({ hashes: { [file]: hash.replace(/^./, digit => digit === '0' ? '1' : '0') } })
  // the refused bytes are not there under the hash that they do not have
  out.wrongKept = await store.get(hash.replace(/^./, digit => digit === '0' ? '1' : '0')) !== undefined
  await clearCache()
  out.cleared = await read({ hashes })
  await clearCache()
  // without an expected hash the server's tag tells whether the kept file is still its file
  out.unknown = await read({})
  out.known = await read({})
  await fetch(`${root}/new-tag`)
  out.changed = await read({})
  out.off = await read({ cache: false, hashes })
  // two that load at the same time: neither disturbs the other
  await clearCache()
  const pair = await Promise.all([read({ hashes }), read({ hashes })])
  out.together = { got: pair[0].got === pair[1].got ? pair[0].got : 'different', from: 'network', kept: pair.some(({ kept }) => kept), problem: '' }
  out.after = await read({ hashes })
  out.ranges = [...await browser({ cache: { store: kind }, hashes }).folder(folder).readRange!(file, 8, 12)].join()
  out.noRoom = await withoutRoom(() => read({ hashes: {}, cache: { store: kind, name: 'full' } }), kind)
  return out
}

/** Every write fails as it does when the disk is full. */
async function withoutRoom<T>(work: () => Promise<T>, kind: FileStore['kind']): Promise<T> {
  const full = () => { throw new DOMException('no room', 'QuotaExceededError') }
  const [owner, names] = kind === 'opfs'
    ? [globalThis.FileSystemFileHandle.prototype as object, ['createSyncAccessHandle', 'createWritable']]
    : [globalThis.IDBObjectStore.prototype as object, ['put']]
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(owner, name)] as const).filter(([, each]) => each !== undefined)
  for (const [name] of before) Object.defineProperty(owner, name, { configurable: true, writable: true, value: full })
  try {
    return await work()
  } finally {
    for (const [name, descriptor] of before) Object.defineProperty(owner, name, descriptor!)
  }
}
