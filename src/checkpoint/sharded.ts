/**
 * A safetensors checkpoint in a folder: one file, or several with an index that says which tensor lies where.
 * @module
 */
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { asObject, parseJson } from './json.ts'
import { openSafetensors } from './safetensors.ts'
import { readFile } from './source.ts'
import type { FileSource } from './source.ts'
import { tensorInfo } from './tensor-file.ts'
import type { TensorFile } from './tensor-file.ts'

/** The name of a checkpoint in one file. */
export const SINGLE_FILE = 'model.safetensors'
/** The name of the index of a checkpoint in several. */
export const INDEX_FILE = 'model.safetensors.index.json'

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` lists.
 *
 * @throws FormatError where neither is there, or a file breaks its format.
 */
export async function openCheckpoint(source: FileSource): Promise<TensorFile> {
  if (await source.has(SINGLE_FILE)) return openSafetensors(source, SINGLE_FILE)
  if (await source.has(INDEX_FILE)) return openShards(source)
  throw new FormatError(
    `model folder expected ${show(SINGLE_FILE)} or ${show(INDEX_FILE)}, got neither; ` +
    'a checkpoint in another format (pytorch_model.bin, tf_model.h5) must be saved as safetensors first',
  )
}

async function openShards(source: FileSource): Promise<TensorFile> {
  const index = parseJson(await readFile(source, INDEX_FILE, 'index of the shards'), INDEX_FILE)
  const weightMap = asObject(asObject(index.value, INDEX_FILE).weight_map, `${INDEX_FILE}: weight_map`)
  const shards = new Map<string, TensorFile>()
  const home = new Map<string, TensorFile>()
  for (const [name, path] of Object.entries(weightMap)) {
    if (typeof path !== 'string' || !/^[\w-][\w.-]*\.safetensors$/.test(path)) {
      throw new FormatError(
        `${show(INDEX_FILE)} tensor ${show(name)} expected the name of a .safetensors file beside the index, ` +
          `got ${show(path)}`,
      )
    }
    if (!shards.has(path)) shards.set(path, await openShard(source, path))
    const shard = shards.get(path) as TensorFile
    tensorInfo(shard, name)
    home.set(name, shard)
  }
  for (const [path, shard] of shards) {
    for (const name of shard.tensors.keys()) {
      if (home.get(name) !== shard) {
        throw new FormatError(
          `${show(INDEX_FILE)} expected an entry for tensor ${show(name)} of ${show(path)}, got none`,
        )
      }
    }
  }
  const tensors = new Map([...home].map(([name, shard]) => [name, tensorInfo(shard, name)]))
  const file: TensorFile = Object.freeze({
    title: INDEX_FILE,
    tensors,
    metadata: new Map([...shards.values()].flatMap(shard => [...shard.metadata])),
    bytes: async (name: string) => (home.get(tensorInfo(file, name).name) as TensorFile).bytes(name),
    range: async (name: string, start: number, end: number, into?: Uint8Array) =>
      (home.get(tensorInfo(file, name).name) as TensorFile).range(name, start, end, into),
  })
  return file
}

async function openShard(source: FileSource, path: string): Promise<TensorFile> {
  if (!(await source.has(path)))
    throw new FormatError(`${show(INDEX_FILE)} expected the shard ${show(path)}, got no such file`)
  return openSafetensors(source, path)
}
