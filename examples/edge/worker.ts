/**
 * The mail filter in a worker at the edge: trains in slices, one a request, and keeps what it has done between them in the
 * storage of a durable object. Nothing else has to survive: each slice may run in another process.
 *
 *   POST /train     { "mails": [{ "text", "label" }, ...] }   begins anew, or goes on where the mails are the same
 *   POST /train     goes on
 *   GET  /classify?text=...                                   by the filter that was trained, or the published one
 *   GET  /state
 */
import { workerd } from 'sotto/workerd'
import { runSlice } from 'sotto/federated'
import simd from 'sotto/wasm/sotto.simd.wasm'
import scalar from 'sotto/wasm/sotto.scalar.wasm'
import { openFilter, sha256 } from '../filter/filter.ts'
import type { Filter, Mail } from '../filter/filter.ts'

/** What the configuration binds. */
interface Environment {
  readonly FILES: { fetch(url: string): Promise<Response> }
  readonly MAILBOX: { idFromName(name: string): unknown, get(id: unknown): { fetch(request: Request): Promise<Response> } }
  /** Tokens of a slice: its CPU time is proportional to them. The clock of an edge worker stands still while it computes. */
  readonly SLICE_TOKENS: number
}

interface Storage {
  get<T>(key: string): Promise<T | undefined>
  put(entries: Record<string, unknown>): Promise<void>
  delete(keys: readonly string[]): Promise<number>
}

/** Of the 128 MB that a worker has; the rest is for what JavaScript holds while the model is loaded. */
const MOST_MEMORY = 64 * 2 ** 20

/** Loaded by the first request of a process; later ones find it. */
let opened: Promise<Filter> | undefined

function filterOf({ FILES }: Environment): Promise<Filter> {
  opened ??= openFilter(workerd({ wasm: { simd, scalar }, files: FILES }), { model: 'model', start: 'start', maximum: MOST_MEMORY })
  opened.catch(() => { opened = undefined })
  return opened
}

/** What came of a slice: the answer, and what to keep or, after the last step, what was trained. */
interface Slice {
  readonly progress: { readonly done: number, readonly [key: string]: unknown }
  readonly state?: Uint8Array
  readonly trained?: { readonly contribution: Int32Array, readonly hash: string, readonly values: Float32Array, readonly adapter: Uint8Array<ArrayBuffer> }
}

/** One mailbox: its mails, and how far it is. */
export class Mailbox {
  readonly #storage: Storage
  readonly #environment: Environment

  constructor(state: { readonly storage: Storage }, environment: Environment) {
    this.#storage = state.storage
    this.#environment = environment
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const filter = await filterOf(this.#environment)
    if (pathname === '/train' && request.method === 'POST') return this.#train(filter, await request.text())
    const values = await this.#storage.get<Float32Array>('values')
    if (pathname === '/classify') {
      const texts = searchParams.getAll('text')
      if (texts.length === 0) return answer({ error: 'text expected at least once, got none: /classify?text=...' }, 400)
      return answer({ trained: values !== undefined, chances: chancesOf(filter, values, texts) })
    }
    if (pathname === '/state') return answer({ trained: values !== undefined, saved: (await this.#storage.get<Uint8Array>('saved'))?.length ?? 0, memory: filter.memory() })
    return answer({ error: `expected POST /train, /classify or /state, got ${request.method} ${pathname}` }, 404)
  }

  async #train(filter: Filter, body: string): Promise<Response> {
    let given: readonly Mail[] | undefined
    try {
      given = body === '' ? undefined : theMails(JSON.parse(body))
    } catch (error) {
      return answer({ error: (error as Error).message }, 400)
    }
    const kept = await this.#storage.get<string>('mails'), same = given === undefined || JSON.stringify(given) === kept
    const mails = given ?? (kept === undefined ? undefined : JSON.parse(kept) as Mail[])
    if (mails === undefined) return answer({ error: 'mails expected with the first request, got none' }, 400)
    const saved = same ? await this.#storage.get<Uint8Array>('saved') : undefined
    const { progress, state, trained } = sliceOrAnew(filter, mails, saved, this.#environment.SLICE_TOKENS)
    if (trained === undefined) {
      await this.#storage.put({ mails: JSON.stringify(mails), saved: state })
      return answer(progress)
    }
    await this.#storage.put({ mails: JSON.stringify(mails), values: trained.values })
    await this.#storage.delete(['saved'])
    const { length } = trained.contribution
    return answer({ ...progress, integers: length, contribution: trained.hash, adapter: await sha256(trained.adapter) })
  }
}

// All mailboxes of a process share one filter, and while one waits for anything another may put its values in place. So what
// touches the filter's values is here, in functions that do not wait: each begins with the values of its mailbox, and what it
// gives back are copies.

/** What a mailbox's filter says of some texts; without values the published filter. */
function chancesOf(filter: Filter, values: Float32Array | undefined, texts: readonly string[]): number[] {
  filter.reset()
  if (values) filter.restore(values)
  return filter.classify(texts)
}

/** One slice; from the beginning where what was saved cannot be gone on from: it was damaged, or is of another model, plan or release. */
function sliceOrAnew(filter: Filter, mails: readonly Mail[], saved: Uint8Array | undefined, tokens: number): Slice {
  try {
    return sliceOf(filter, mails, saved, tokens)
  } catch (error) {
    if (saved === undefined || (error as Error).name !== 'FormatError') throw error
    const { progress, ...rest } = sliceOf(filter, mails, undefined, tokens)
    return { ...rest, progress: { ...progress, begunAnew: (error as Error).message } }
  }
}

/** One slice of a mailbox's training: what to keep of it or, after its last step, what it came to. */
function sliceOf(filter: Filter, mails: readonly Mail[], saved: Uint8Array | undefined, tokens: number): Slice {
  const training = filter.train(mails, saved ? { saved } : {})
  try {
    const slice = runSlice(training, { tokens })
    const progress = { ...slice, done: training.done, of: training.steps, loss: training.loss, memory: filter.memory() }
    if (!slice.finished) return { progress, state: training.save() }
    const { contribution, hash } = training.finish()
    return { progress, trained: { contribution, hash, values: filter.values(), adapter: filter.files()['adapter_model.safetensors'] as Uint8Array<ArrayBuffer> } }
  } finally {
    training.close()
  }
}

export default {
  fetch: (request: Request, environment: Environment): Promise<Response> =>
    environment.MAILBOX.get(environment.MAILBOX.idFromName(new URL(request.url).searchParams.get('mailbox') ?? 'mine')).fetch(request),
}

function theMails(value: { mails?: unknown } | null): readonly Mail[] {
  const mails = value?.mails
  const isMail = (mail: Partial<Mail> | null) => typeof mail?.text === 'string' && (mail.label === 'spam' || mail.label === 'ham')
  if (!Array.isArray(mails) || mails.length === 0 || !mails.every(isMail)) throw new Error('mails expected [{ "text": "...", "label": "spam" or "ham" }, ...]')
  return mails as Mail[]
}

function answer(value: unknown, status = 200): Response { return Response.json(value, { status }) }
