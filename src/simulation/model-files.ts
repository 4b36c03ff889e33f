/**
 * The files that a model folder consists of, by their SHA-256: what a training was made from, to the last bit.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { hashBytes } from '../canonical.ts'
import { asObject, parseJson } from '../checkpoint/json.ts'
import { INDEX_FILE, SINGLE_FILE } from '../checkpoint/sharded.ts'
import type { FileSource } from '../checkpoint/source.ts'
import type { Host } from '../host.ts'

/** Files by name; those that a folder has count. */
const NAMES = ['config.json', '1_Pooling/config.json', SINGLE_FILE, INDEX_FILE, 'model.json',
  'tokenizer.json', 'tokenizer_config.json', 'vocab.txt', 'vocab.json', 'merges.txt']

/** A file up to this size is hashed at once, natively where the host can; a larger one piece by piece. */
const AT_ONCE = 2 ** 26

/** SHA-256 of each file of a model folder, in hexadecimal, shards included. @throws FormatError for an index that is none */
export async function hashModelFiles(host: Host, folder: string): Promise<Readonly<Record<string, string>>> {
  const source = host.folder(folder)
  const files: Record<string, string> = {}
  const add = async (name: string) => {
    if (!(name in files) && await source.has(name)) files[name] = await hashFile(host, source, name)
  }
  for (const name of NAMES) await add(name)
  const read = async (name: string) => asObject(parseJson(await source.read(name), name, 0, 256).value, name)
  const shards: unknown[] = []
  if (INDEX_FILE in files) shards.push(...Object.values(asObject((await read(INDEX_FILE)).weight_map, INDEX_FILE)))
  if ('model.json' in files) {
    const { weightsManifest } = await read('model.json')
    if (Array.isArray(weightsManifest)) for (const group of weightsManifest) shards.push(...asPaths((group as { paths?: unknown } | null)?.paths))
  }
  for (const name of new Set(shards)) if (typeof name === 'string' && !/(^|\/)\.\.(\/|$)/.test(name)) await add(name)
  return Object.freeze(files)
}

function asPaths(paths: unknown): unknown[] { return Array.isArray(paths) ? paths : [] }

async function hashFile(host: Host, source: FileSource, name: string): Promise<string> {
  const size = await source.size?.(name)
  if (size === undefined || source.readRange === undefined || size <= AT_ONCE) return hashBytes(await source.read(name), host.sha256)
  const hash = sha256.create()
  for (let at = 0; at < size; at += AT_ONCE) hash.update(await source.readRange(name, at, Math.min(size, at + AT_ONCE)))
  return bytesToHex(hash.digest())
}
