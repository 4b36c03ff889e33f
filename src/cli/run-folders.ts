/**
 * What `sotto simulate` left in a folder, found again: runs with a transcript, and the settings, model and data that they
 * were made with.
 * @module
 */
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { show } from '../assert.ts'
import type { Host } from '../host.ts'
import { TRANSCRIPT_FILE } from '../replay/format.ts'
import type { HeaderLine } from '../replay/format.ts'
import { readConfig } from './config.ts'
import type { Config } from './config.ts'
import { readTexts } from './data.ts'
import type { Texts } from './data.ts'
import { InputError } from './failure.ts'

/** A run's folder, and its settings where they lie in it or above it. */
export interface FoundRun {
  readonly folder: string
  readonly name: string
  readonly labels: readonly string[] | undefined
  readonly config: Config | undefined
}

/** The runs of a folder: itself, or those below it. @param only - a run's name */
export async function findRuns(path: string, only: string | undefined): Promise<FoundRun[]> {
  const folder = resolve(path)
  if (!await stat(folder).then(entry => entry.isDirectory(), () => false)) {
    throw new InputError(`"run" expected the folder of a run, got none at ${show(path)}; check the path`)
  }
  const below = (await readdir(folder, { withFileTypes: true })).filter(entry => entry.isDirectory()).map(({ name }) => join(folder, name)).sort()
  const folders: string[] = []
  for (const candidate of [folder, ...below]) if (await isFile(join(candidate, TRANSCRIPT_FILE))) folders.push(candidate)
  if (folders.length === 0) throw new InputError(`"run" expected ${TRANSCRIPT_FILE} in ${show(path)} or in a folder below it, got none; was it made with --transcript none?`)
  const found = await Promise.all(folders.map(describe))
  const chosen = only === undefined ? found : found.filter(({ name }) => name === only)
  if (chosen.length === 0) throw new InputError(`"--run" expected one of ${found.map(({ name }) => name).join(', ')}, got ${only}`)
  return chosen
}

/** The model folder of a run; undefined where the settings name none that is there. */
export async function modelOf({ config, name }: FoundRun, asked: string | undefined): Promise<string | undefined> {
  if (asked !== undefined) {
    const folder = resolve(asked)
    if (!await stat(folder).then(entry => entry.isDirectory(), () => false)) throw new InputError(`"--model" expected a folder, got none at ${show(asked)}; check the path`)
    return folder
  }
  const folder = config && (config.runs.find(run => run.name === name) ?? config.runs[0]).model
  return folder !== undefined && await stat(folder).then(entry => entry.isDirectory(), () => false) ? folder : undefined
}

/** The clients' data: files that were named, or those of the settings. */
export async function textsOf(host: Host, { config, labels }: FoundRun, files: readonly string[]): Promise<Texts> {
  if (files.length > 2) throw new InputError(`"--data" expected a file of training texts and one of test texts, got ${files.length} files`)
  if (config === undefined && files.length < 2) {
    throw new InputError(`"--data" expected two files, of training and of test texts, since there is no config.json beside the run that names them, got ${files.length}`)
  }
  const [train, test] = files.map(file => resolve(file))
  const data = config?.data ?? { train, test }
  const asked: Config = {
    ...config ?? { name: 'run', file: '', threads: undefined, runs: [], source: null },
    labels: labels ?? config?.labels,
    data: { ...data, ...(train !== undefined && { train }), ...(test !== undefined && { test, heldOut: undefined }) },
  }
  return readTexts(host, asked)
}

async function describe(folder: string): Promise<FoundRun> {
  const header = await headerOf(folder)
  for (const place of [folder, dirname(folder)]) {
    const file = join(place, 'config.json')
    // an adapter's or a model's config.json is not ours
    const config = await isFile(file) ? await readConfig(file).catch(() => undefined) : undefined
    if (config) return { folder, ...header, config }
  }
  return { folder, ...header, config: undefined }
}

/** Name and labels, as far as the first line can be read: whatever is wrong with it is found later. */
async function headerOf(folder: string): Promise<{ name: string, labels: readonly string[] | undefined }> {
  try {
    const [line] = (await readFile(join(folder, TRANSCRIPT_FILE), 'utf8')).split('\n', 1)
    const { about, task } = JSON.parse(line) as HeaderLine
    return { name: String(about.run), labels: task.description.labels }
  } catch {
    return { name: folder, labels: undefined }
  }
}

function isFile(path: string): Promise<boolean> { return stat(path).then(entry => entry.isFile(), () => false) }
