/**
 * Where a ledger is kept. A store knows texts and bytes, no rules: the rules are the ledger's.
 * @module
 */

/** Bytes that are kept with an entry, by their SHA-256. */
export interface LedgerBlob {
  /** `model`: what is released. `state`: what else a resumed run needs; private, kept for the last release only. */
  readonly kind: 'model' | 'state'
  readonly hash: string
  readonly bytes: Uint8Array
}

/** A place for one ledger. Whoever holds one for writing is the only one who does. */
export interface LedgerStore {
  /** Whether this one may write. */
  readonly writable: boolean
  /** The texts of all entries, in order. @throws FormatError when what is stored was cut off or damaged */
  read(): Promise<readonly string[]>
  /**
   * Adds the text of entry `number` and the blobs that it names: all or nothing, whenever the process or the machine
   * stops; durable when the promise resolves. If it rejects, what happened is known only after the store is opened again.
   *
   * @throws Error when entry `number` is not the next one, or an earlier commit failed
   */
  commit(number: number, text: string, blobs: readonly LedgerBlob[]): Promise<void>
  /** Bytes of a committed blob, or undefined where it is not kept any more. */
  blob(kind: LedgerBlob['kind'], hash: string): Promise<Uint8Array | undefined>
  /** Lets the next writer in. */
  close(): Promise<void>
}

/** How many released models are kept. */
export interface KeepOptions {
  /** Models of the last so many releases; default `all`. The last one is always kept. */
  readonly keep?: number | 'all'
}

/**
 * A ledger in memory: for simulations and tests. It ends with the process.
 * @param options - `keep: 0` keeps no model at all
 */
export function memoryLedger(options: KeepOptions = {}): LedgerStore & { readonly lines: readonly string[] } {
  const { keep = 'all' } = options
  const lines: string[] = []
  const models: { hash: string, bytes: Uint8Array }[] = []
  let state: LedgerBlob | undefined
  return {
    writable: true,
    lines,
    read: async () => [...lines],
    async commit(number, text, blobs) {
      isNext(number, lines.length)
      lines.push(text)
      for (const blob of blobs) {
        if (keep === 0) continue
        if (blob.kind === 'state') state = { ...blob, bytes: blob.bytes.slice() }
        else models.push({ hash: blob.hash, bytes: blob.bytes.slice() })
      }
      if (keep !== 'all') models.splice(0, Math.max(0, models.length - keep))
    },
    async blob(kind, hash) {
      const found = kind === 'state' ? (state?.hash === hash ? state : undefined) : models.find(model => model.hash === hash)
      return found?.bytes.slice()
    },
    close: async () => {},
  }
}

/** Two writers that passed each other's lock meet here: the second is refused. */
export function isNext(number: number, length: number): void {
  if (number !== length) {
    throw new Error(`"ledger" expected entry ${length} next, got ${number}: somebody else has written to it; open it again`)
  }
}
