/**
 * Reads the settings file of a simulation: one run, or several variants over the same data. A key that is not known is
 * an error, and so is a value of the wrong kind; nothing is guessed.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import * as v from 'valibot'
import { show } from '../assert.ts'
import { asObject, parseJson } from '../checkpoint/json.ts'
import type { Plain } from '../canonical.ts'
import { own, Name, Run, shared } from './config-schema.ts'
import type { RunSettings } from './config-schema.ts'
import { InputError } from './failure.ts'
import { nearest } from './nearest.ts'

/** A settings file, checked; paths are absolute. */
export interface Config {
  readonly name: string
  readonly file: string
  readonly data: RunSettings['data']
  readonly labels: readonly string[] | undefined
  readonly threads: number | undefined
  /** At least one. */
  readonly runs: readonly (RunSettings & { readonly name: string })[]
  /** The file's content as it was read. */
  readonly source: Plain
}

type Json = Record<string, unknown>

/** Reads and checks a settings file. @throws InputError, FormatError with one line that says what to change */
export async function readConfig(path: string): Promise<Config> {
  const file = resolve(path)
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`settings expected a JSON file, got ${error.code === 'ENOENT' ? 'none' : error.code} at ${show(path)}; check the path`)
  })
  const value = asObject(parseJson(new Uint8Array(bytes), path).value, path)
  return checkConfig(value, file, path)
}

/** Checks settings. @param file - absolute: paths in the settings are relative to its folder @param title - for errors */
export function checkConfig(value: Json, file: string, title: string): Config {
  const { runs, ...base } = value
  const variants = runs === undefined ? [{}] : variantsOf(runs, title)
  const folder = dirname(file)
  const name = typeof base['name'] === 'string' ? v.parse(nameSchema(title), base['name']) : nameOf(file)
  const checked = variants.map(variant => {
    const where = runs === undefined ? title : `${title}, run ${show(variant['name'])}`
    const settings = check(merged(base, variant), where)
    if ((settings.method.kind === 'full') !== (settings.lora === undefined)) {
      throw new InputError(`${where}: "lora" expected ${settings.method.kind === 'full' ? 'none for full fine-tuning' : 'an object with rank, alpha and sites'}, ` +
        `got ${settings.lora === undefined ? 'none' : 'one'}`)
    }
    return { ...settings, name: settings.name ?? (runs === undefined ? name : settings.method.kind), model: resolve(folder, settings.model) }
  })
  const names = checked.map(run => run.name.toLowerCase())
  const twice = checked.find((run, i) => names.indexOf(run.name.toLowerCase()) !== i)
  if (twice) throw new InputError(`${title}: "runs" expected different names (case does not count), got ${show(twice.name)} twice`)
  const { data, labels, threads } = checked[0]
  if ((data.test === undefined) === (data.heldOut === undefined)) {
    throw new InputError(`${title}: "data" expected either test or heldOut, got ${data.test === undefined ? 'neither' : 'both'}; ` +
      'name a file with test texts, or a share of the training texts to hold out')
  }
  return Object.freeze({
    name, file, labels, threads, runs: checked, source: value as Plain,
    data: { ...data, train: resolve(folder, data.train), ...(data.test !== undefined && { test: resolve(folder, data.test) }) },
  })
}

function variantsOf(runs: unknown, title: string): Json[] {
  if (!Array.isArray(runs) || runs.length === 0) {
    throw new InputError(`${title}: "runs" expected a list of at least one object, got ${show(runs)}`)
  }
  return runs.map((run: unknown, i) => {
    if (run === null || typeof run !== 'object' || Array.isArray(run)) throw new InputError(`${title}: "runs[${i}]" expected an object, got ${show(run)}`)
    const variant = run as Json
    v.parse(nameSchema(`${title}: runs[${i}]`), variant['name'])
    for (const key of Object.keys(variant)) {
      if (key !== 'name' && key in shared) {
        throw new InputError(`${title}: "runs[${i}].${key}" expected none, got one; all runs share it: put it beside "runs"`)
      }
      if (key !== 'name' && !(key in own)) throw unknownKey(`${title}: runs[${i}]`, key, ['name', ...Object.keys(own)])
    }
    return variant
  })
}

function nameSchema(title: string) {
  return v.pipe(v.unknown(), v.rawTransform(({ dataset }) => {
    const result = v.safeParse(Name, dataset.value)
    if (!result.success) throw new InputError(`${title}: "name" expected ${result.issues[0].message}, got ${show(dataset.value)}`)
    return result.output
  }))
}

/** The file's name, as a folder can be called. */
function nameOf(file: string): string {
  const name = basename(file).replace(/\.[^.]*$/, '').replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[-_]+/, '').slice(0, 64)
  return name === '' ? 'run' : name
}

/** Base and variant as by JSON Merge Patch (RFC 7396): objects key by key, null removes; full fine-tuning drops an adapter. */
function merged(base: Json, variant: Json): Json {
  const out = patch(withKinds(base), withKinds(variant)) as Json
  const method = out['method'] as Json | undefined
  if (method?.['kind'] === 'full' && variant['method'] !== undefined && variant['lora'] === undefined) delete out['lora']
  return out
}

function patch(target: unknown, change: unknown): unknown {
  if (!isObject(change)) return change
  const out: Json = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete out[key]
    else out[key] = key === 'method' || key === 'server' ? value : patch(out[key], value)
  }
  return out
}

/** A method may be written as its kind alone. `privacy: "none"` is as good as null. */
function withKinds(settings: Json): Json {
  const out = { ...settings }
  if (typeof out['method'] === 'string') out['method'] = { kind: out['method'] }
  if (out['privacy'] === 'none') out['privacy'] = null
  return out
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function check(value: Json, title: string): RunSettings {
  const result = v.safeParse(Run, value)
  if (result.success) return result.output
  // a key that is not known often is the one that is missed
  const issue = result.issues.find(one => one.type === 'strict_object' && one.expected === 'never') ?? result.issues[0]
  const path = issue.path ?? []
  const last = path[path.length - 1]
  const dotted = path.reduce((all, { key }) => typeof key === 'number' ? `${all}[${key}]` : all === '' ? String(key) : `${all}.${String(key)}`, '')
  if (issue.type === 'strict_object' && issue.expected === 'never' && last) {
    const parents = path.slice(0, -1).map(({ key }) => String(key))
    throw unknownKey(parents.length === 0 ? title : `${title}: ${parents.join('.')}`, String(last.key), keysAt(parents, value))
  }
  const missing = issue.type === 'strict_object' && last !== undefined && (last as { value?: unknown }).value === undefined
  const expected = missing ? expectedAt(path.map(({ key }) => String(key)), value) : issue.message
  throw new InputError(`${title}: "${dotted}" expected ${expected}, got ${missing || issue.input === undefined ? 'none' : show(issue.input)}`)
}

function unknownKey(title: string, key: string, known: readonly string[]): InputError {
  const near = nearest(key, known)
  return new InputError(`${title}: expected the keys ${known.join(', ')}, got the unknown key ${show(key)}` +
    (near === undefined ? '; remove it' : `; did you mean ${show(near)}?`))
}

/** What schemas are made of, as far as it matters here. */
interface Node {
  readonly message?: unknown
  readonly entries?: Readonly<Record<string, Node>>
  readonly wrapped?: Node
  readonly options?: readonly Node[]
  readonly key?: string
  readonly literal?: unknown
}

/** The schema at a path of keys, the variant chosen by the value. */
function schemaAt(path: readonly string[], value: unknown): Node | undefined {
  let node: Node | undefined = Run as unknown as Node
  let at: unknown = value
  const open = () => {
    while (node?.wrapped) node = node.wrapped
    if (node?.options && node.key) {
      const { key, options } = node
      node = options.find(option => option.entries?.[key]?.literal === (at as Json)[key])
    }
  }
  open()
  for (const key of path) {
    node = node?.entries?.[key]
    at = isObject(at) ? at[key] : undefined
    open()
  }
  return node
}

function keysAt(path: readonly string[], value: Json): string[] {
  const keys = Object.keys(schemaAt(path, value)?.entries ?? {})
  return path.length === 0 ? [...keys, 'runs'] : keys
}

function expectedAt(path: readonly string[], value: Json): string {
  const parent = schemaAt(path.slice(0, -1), value)
  let node: Node | undefined = parent?.entries?.[path[path.length - 1]]
  while (node?.wrapped) node = node.wrapped
  return typeof node?.message === 'string' ? node.message : 'a value'
}
