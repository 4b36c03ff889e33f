/**
 * The texts of a simulation: from files to clients and a test set.
 * @module
 */
import { basename, dirname } from 'node:path'
import { show } from '../assert.ts'
import { describeClients } from '../data/describe.ts'
import { groupByClient } from '../data/example.ts'
import type { Client, Example, LabelledRecord } from '../data/example.ts'
import { nearDuplicatePairs, shingles } from '../data/near-duplicates.ts'
import { readRecords } from '../data/records.ts'
import type { RecordFile } from '../data/records.ts'
import { holdOut } from '../data/split.ts'
import type { Host } from '../host.ts'
import type { DataSummary } from '../report/run.ts'
import type { Config } from './config.ts'
import { InputError } from './failure.ts'

/** What a simulation trains and is tested on. */
export interface Texts {
  readonly labels: readonly string[]
  readonly clients: readonly Client[]
  readonly test: readonly Example[]
  readonly summary: DataSummary
}

/** More texts than this are not searched for near-duplicates between the two files. */
const MOST_COMPARED = 50_000

/** Reads what the settings name. @throws FormatError naming each bad line, InputError, RangeError */
export async function readTexts(host: Host, { data, labels: asked }: Config): Promise<Texts> {
  const read = (path: string, labels: readonly string[] | undefined): Promise<RecordFile> =>
    readRecords(host.folder(dirname(path)), basename(path), {
      ...(data.format && { format: data.format }), ...(data.columns && { columns: data.columns }), ...(labels && { labels }),
    })
  const { records, labels } = await read(data.train, asked)
  const found = new Set(records.map(record => record.label))
  const absent = labels.filter(label => !found.has(label))
  if (absent.length > 0) {
    throw new InputError(`"labels" expected labels that occur in ${show(basename(data.train))}, got ${absent.map(show).join(', ')}, which no row has; ` +
      'correct the name, or remove it')
  }
  const held = data.heldOut
  if (held === undefined) {
    const test = (await read(data.test!, labels)).records
    const leaked = records.length + test.length <= MOST_COMPARED ? leaks(records, test) : undefined
    return texts(labels, records, test, {
      heldOut: `the file ${basename(data.test!)}`,
      ...(leaked === undefined ? {} : { nearDuplicatesInTraining: leaked }),
    })
  }
  const items = records.map(record => ({ ...record, group: record.client, time: record.line }))
  const { train, test, report } = holdOut(items, { by: held.by === 'client' ? 'group' : 'time', fraction: held.fraction, seed: held.seed ?? 0 })
  return texts(labels, train, test, {
    heldOut: held.by === 'client' ? 'whole clients that training never saw' : 'the last rows of each label',
    nearDuplicatesInTraining: 0,
    removed: report.exactDuplicates + report.nearDuplicatesOfTest + report.nearDuplicatesWithinTest,
  })
}

function texts(
  labels: readonly string[], train: readonly LabelledRecord[], test: readonly LabelledRecord[],
  how: Pick<DataSummary, 'heldOut' | 'nearDuplicatesInTraining' | 'removed'>,
): Texts {
  const clients = groupByClient(train)
  const counts = labels.map(label => test.filter(record => record.label === label).length)
  return Object.freeze({
    labels, clients,
    test: test.map(({ text, label }) => Object.freeze({ text, label })),
    summary: Object.freeze({
      ...describeClients(clients), ...how, labels, test: test.length,
      testShares: Object.fromEntries(labels.map((label, i) => [label, counts[i] / test.length])),
    }),
  })
}

/** Test texts that have a near-duplicate among the training texts. */
function leaks(train: readonly Example[], test: readonly Example[]): number {
  const sets = (list: readonly Example[]) => list.map(({ text }) => shingles(text))
  return new Set(nearDuplicatePairs(sets(test), sets(train)).map(([i]) => i)).size
}
