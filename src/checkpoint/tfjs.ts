/**
 * Weights of a TensorFlow.js model: `model.json`, whose manifest lists tensors in order, and the shards that hold
 * their bytes one after another. Graph models and layers models store weights alike.
 * @module
 */
import { anInteger, show } from '../assert.ts'
import { FormatError } from '../errors.ts'
import { dtypeSize } from './dtype.ts'
import type { Dtype } from './dtype.ts'
import { asObject, parseJson } from './json.ts'
import { readFile } from './source.ts'
import type { FileSource } from './source.ts'
import { countElements, tensorInfo } from './tensor-file.ts'
import type { TensorFile, TensorInfo } from './tensor-file.ts'

const DTYPES: Readonly<Record<string, Dtype>> = { float32: 'F32', int32: 'I32', bool: 'BOOL', uint8: 'U8' }

/** Bytes that lie one after another in several files. */
interface Group {
  readonly length: number
  read(start: number, end: number, into?: Uint8Array): Promise<Uint8Array>
}

interface Placed extends TensorInfo {
  readonly group: Group
  readonly start: number
}

/**
 * Opens a TensorFlow.js model. Values are read on demand where the source can read ranges.
 *
 * @param name The manifest's file; shards lie beside it.
 * @throws FormatError naming the tensor, the shard and the byte.
 */
export async function openTfjs(source: FileSource, name = 'model.json'): Promise<TensorFile> {
  const model = asObject(parseJson(await readFile(source, name, 'TensorFlow.js model'), name, 0, 256).value, name)
  const manifest = model.weightsManifest
  if (!Array.isArray(manifest))
    throw new FormatError(`${show(name)} "weightsManifest" expected an array, got ${show(manifest)}`)
  const tensors = new Map<string, Placed>()
  for (const [i, value] of manifest.entries()) {
    const title = `${name}: weightsManifest[${i}]`
    const { paths, weights } = asObject(value, title)
    if (!Array.isArray(paths)) throw new FormatError(`${show(title)} "paths" expected an array, got ${show(paths)}`)
    if (!Array.isArray(weights))
      throw new FormatError(`${show(title)} "weights" expected an array, got ${show(weights)}`)
    const group = await openGroup(source, paths, title)
    let start = 0
    for (const [j, weight] of weights.entries()) {
      const tensor = readEntry(asObject(weight, `${title}.weights[${j}]`), group, start, title)
      if (tensors.has(tensor.name)) {
        throw new FormatError(`${show(title)} expected each tensor once, got ${show(tensor.name)} again`)
      }
      tensors.set(tensor.name, tensor)
      start += tensor.byteLength
    }
    if (start !== group.length) {
      throw new FormatError(`${show(title)} expected shards of ${start} bytes together, got ${group.length}`)
    }
  }
  const file: TensorFile = Object.freeze({
    title: name,
    tensors,
    metadata: new Map(),
    bytes: async (tensor: string) => {
      const { group, start, byteLength } = tensorInfo(file, tensor) as Placed
      return group.read(start, start + byteLength)
    },
    range: async (tensor: string, from: number, to: number, into?: Uint8Array) => {
      const { group, start } = tensorInfo(file, tensor) as Placed
      return group.read(start + from, start + to, into)
    },
  })
  return file
}

function readEntry(entry: Record<string, unknown>, group: Group, start: number, title: string): Placed {
  const { name, dtype, shape, quantization } = entry
  if (typeof name !== 'string') throw new FormatError(`${show(title)} expected a tensor with a name, got ${show(name)}`)
  const fail = (detail: string): never => {
    throw new FormatError(`${show(title)} tensor ${show(name)} (group byte ${start}): ${detail}`)
  }
  if (quantization !== undefined)
    return fail('expected plain values, got quantised ones; convert the model without quantisation')
  const type = typeof dtype === 'string' && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined
  if (type === undefined) return fail(`"dtype" expected one of ${Object.keys(DTYPES).join(', ')}, got ${show(dtype)}`)
  const count = countElements(shape)
  if (typeof count === 'string') return fail(count)
  const byteLength = count * dtypeSize(type)
  if (start + byteLength > group.length) {
    return fail(
      `expected ${byteLength} bytes, got shards that end at byte ${group.length}; a shard may be missing or cut short`,
    )
  }
  return Object.freeze({ name, dtype: type, shape: Object.freeze([...shape as number[]]), byteLength, group, start })
}

async function openGroup(source: FileSource, paths: readonly unknown[], title: string): Promise<Group> {
  const shards: { path: string, start: number, end: number, bytes: Uint8Array | undefined }[] = []
  let length = 0
  for (const path of paths) {
    if (typeof path !== 'string' || !/^[\w-][\w.-]*$/.test(path)) {
      throw new FormatError(`${show(title)} "paths" expected names of files beside the manifest, got ${show(path)}`)
    }
    if (!(await source.has(path)))
      throw new FormatError(`${show(title)} expected the shard ${show(path)}, got no such file`)
    const bytes = source.size === undefined || source.readRange === undefined ? await source.read(path) : undefined
    const size = bytes?.length ?? anInteger(`size of ${path}`, await source.size?.(path))
    shards.push({ path, start: length, end: length + size, bytes })
    length += size
  }
  return {
    length,
    read: async (start, end, into) => {
      const out = into?.subarray(0, end - start) ?? new Uint8Array(end - start)
      for (const shard of shards) {
        const from = Math.max(start, shard.start)
        const to = Math.min(end, shard.end)
        if (from >= to) continue
        const at = [from - shard.start, to - shard.start] as const
        const part = shard.bytes?.subarray(...at) ?? await source.readRange?.(shard.path, ...at)
        if (part?.length !== to - from) {
          throw new FormatError(
            `${show(shard.path)} expected ${to - from} bytes from byte ${at[0]}, got ${part?.length}`,
          )
        }
        out.set(part, from - start)
      }
      return out
    },
  }
}
