/**
 * Writes the transcript of a simulation while it runs.
 * @module
 */
import { hashArray, hashBytes } from '../canonical.ts'
import type { Sha256 } from '../canonical.ts'
import type { Plan } from '../federated/plan.ts'
import { NUMERICS_VERSION } from '../numerics.ts'
import type { Slice } from '../peft/slice.ts'
import { modelBytes } from '../simulation/run-ledger.ts'
import type { Recorder, RoundFacts, RunEnd, RunStart } from '../simulation/recorder.ts'
import { hashExamples, hashTensors } from './digests.ts'
import { ARRAYS_FILE, Chain, TRANSCRIPT_FILE, TRANSCRIPT_FORMAT } from './format.ts'
import type { EndLine, HeaderLine, RoundLine } from './format.ts'
import { marksOf } from './locate.ts'
import { packFloats, packIntegers } from './pack.ts'

/** Larger files of arrays are not kept unless asked for. */
export const LARGEST_ARRAYS = 2 ** 28

/** Settings of a transcript. */
export interface TranscriptOptions {
  /** `auto` (default): `full` where the arrays are expected to take less than 256 MiB, else `hashes`. */
  readonly arrays?: 'full' | 'hashes' | 'auto'
  /** Told when the choice is made: what it is, and how many bytes the arrays are expected to take at most. */
  readonly onArrays?: (arrays: 'full' | 'hashes', bytes: number) => void
  readonly about?: Partial<HeaderLine['about']>
}

/** Writes a transcript. */
export interface TranscriptRecorder extends Recorder {
  /**
   * The files of the transcript, when the run is over.
   *
   * @param trained - the files of the trained model: their hashes go into the last line
   */
  files(trained?: Readonly<Record<string, Uint8Array | string>>): Record<string, Uint8Array | string>
  /** Hash of the last line; with a published model it anchors the transcript. */
  readonly head: string
}

/** A recorder for `simulate({ recorder })`. */
export function transcriptRecorder(options: TranscriptOptions = {}): TranscriptRecorder {
  const { onArrays, about } = options
  const chain = new Chain()
  const lines: string[] = [], blocks: Uint8Array[] = []
  let arrays: 'full' | 'hashes' = 'hashes'
  let whole: Slice, native: Sha256 | undefined, last: RunEnd | undefined, source: HeaderLine['noise'], rounds = 0
  let marks: string[] = []
  return {
    get head() { return chain.head },
    async start(start: RunStart) {
      whole = start.whole
      native = start.options.host.sha256
      source = start.noise
      const bytes = expectedBytes(start)
      arrays = options.arrays === undefined || options.arrays === 'auto' ? (bytes <= LARGEST_ARRAYS ? 'full' : 'hashes') : options.arrays
      onArrays?.(arrays, bytes)
      lines.push(chain.add<HeaderLine>(headerOf(start, arrays, about ?? {})))
      if (arrays === 'full') blocks.push(packFloats(start.values))
    },
    contribution({ slice }: Plan, _number: number, values: Int32Array) {
      marks.push(marksOf(slice, values))
      if (arrays === 'full') blocks.push(packIntegers(values))
    },
    round({ report, plan, clients, released, values, entry }: RoundFacts) {
      const { round, rank, planHash, event, epsilon, contributionHashes: contributions, loss, updateNorm, clippedShare, accuracy } = report
      if (arrays === 'full') blocks.push(packIntegers(released.noised))
      lines.push(chain.add<RoundLine>({
        round, rank: rank ?? null, plan, planHash, clients, contributions, marks, noise: source === 'none' ? null : released.commitment,
        release: { hash: hashArray(released.noised, native), marks: marksOf(plan.slice, released.noised) },
        state: entry.modelAfter, tensors: hashTensors(whole, values, native, new Set(plan.slice.parts.map(({ tensor }) => tensor))),
        event, epsilon: epsilon ?? null, ledger: entry.hash,
        metrics: { loss, updateNorm, clippedShare, accuracy },
      }))
      rounds = round
      marks = []
    },
    end(end: RunEnd) { last = end },
    files(trained = {}) {
      if (last === undefined) throw new Error('"transcript" expected a run that has ended, got one under way; ask after result()')
      const beside: Record<string, Uint8Array> = arrays === 'full' ? { [ARRAYS_FILE]: joined(blocks) } : {}
      const { finalHash, head, accuracy, confusion } = last
      lines.push(chain.add<EndLine>({
        end: { rounds, state: finalHash, accuracy, confusion, ledger: head, files: hashFiles({ ...trained, ...beside }, native) },
      }))
      last = undefined
      return { [TRANSCRIPT_FILE]: lines.join(''), ...beside }
    },
  }
}

function headerOf({ options, privacy, seed, noise, maxTokens, evaluateEvery, evaluateExamples, task, whole, values, opening }: RunStart, arrays: 'full' | 'hashes', about: Partial<HeaderLine['about']>): Omit<HeaderLine, 'number' | 'previous' | 'hash'> {
  const { host, method, clients, test, rounds, cohort, local, server } = options
  const { model, ...description } = options.task
  return {
    format: TRANSCRIPT_FORMAT, numerics: NUMERICS_VERSION,
    about: { sotto: '', runtime: `${host.name} ${host.version}`.trim(), run: options.name ?? method.kind, model, ...about },
    arrays, task: { hash: task.hash, files: task.files, description },
    method, rounds, cohort, local, server, privacy: privacy ?? null, noise, seed, maxTokens, evaluateEvery, evaluateExamples,
    data: { clients: clients.map(({ examples }) => hashExamples(examples, host.sha256)), test: hashExamples(test, host.sha256) },
    whole: { parts: whole.parts, length: whole.length, rank: whole.rank ?? null },
    state: hashBytes(modelBytes(values), host.sha256), tensors: hashTensors(whole, values, host.sha256), ledger: opening.hash,
  }
}

/** Two bytes for a number of a contribution or release, four for one of the start. */
function expectedBytes({ options: { rounds, cohort }, whole }: RunStart): number {
  return whole.length * (4 + 2 * rounds * (cohort + 1))
}

/** SHA-256 of files by name. */
export function hashFiles(files: Readonly<Record<string, Uint8Array | string>>, native?: Sha256): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) =>
    [name, hashBytes(typeof content === 'string' ? new TextEncoder().encode(content) : content, native)]))
}

function joined(blocks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const bytes of blocks) {
    out.set(bytes, at)
    at += bytes.length
  }
  return out
}
