// The least of safetensors that the peers need: f32 alone, from a file we trust. Sotto's reader is in src/checkpoint.
import { readFileSync, writeFileSync } from 'node:fs'

export function writeSafetensors(path, tensors) {
  const header = { __metadata__: { format: 'pt' } }
  let offset = 0
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
  }
  let text = JSON.stringify(header)
  text = text.padEnd(Math.ceil(text.length / 8) * 8)
  const size = new Uint8Array(8)
  new DataView(size.buffer).setUint32(0, text.length, true)
  const parts = Object.values(tensors).map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  writeFileSync(path, Buffer.concat([size, Buffer.from(text), ...parts]))
}

/** Copies out only the tensors that `wanted` names. */
export function readSafetensors(path, wanted = () => true) {
  const bytes = readFileSync(path)
  const length = bytes.readUInt32LE(0)
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length))
  const tensors = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__' || !wanted(name)) continue
    if (entry.dtype !== 'F32') continue
    const [from, to] = entry.data_offsets.map((offset) => bytes.byteOffset + 8 + length + offset)
    tensors[name] = { shape: entry.shape, data: new Float32Array(bytes.buffer.slice(from, to)) }
  }
  return tensors
}
