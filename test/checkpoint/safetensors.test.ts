import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FormatError } from '../../src/errors.ts'
import { openSafetensors, parseSafetensors, writeSafetensors } from '../../src/checkpoint/safetensors.ts'
import type { TensorData } from '../../src/checkpoint/safetensors.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import { readF32 } from '../../src/checkpoint/tensor-file.ts'
import { rejects } from '../support/rejects.ts'
import { rng } from '../support/rng.ts'

const encoder = new TextEncoder()

/** A file from a header's text (or value) and its data, with no check at all. */
function raw(header: unknown, data: Uint8Array | number = 0, length?: number): Uint8Array {
  const text = encoder.encode(typeof header === 'string' ? header : JSON.stringify(header))
  const body = typeof data === 'number' ? new Uint8Array(data) : data
  const out = new Uint8Array(8 + text.length + body.length)
  new DataView(out.buffer).setBigUint64(0, BigInt(length ?? text.length), true)
  out.set(text, 8)
  out.set(body, 8 + text.length)
  return out
}

const f32 = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32'): unknown =>
  ({ dtype, shape, data_offsets: [begin, end] })

function refuses(bytes: Uint8Array, pattern: RegExp): void {
  assert.throws(() => parseSafetensors(bytes, 'm.safetensors'), (error: Error) => {
    assert.instance(error, FormatError)
    assert.match(error.message, pattern)
    return true
  })
}

const sample = (): Map<string, TensorData> => new Map<string, TensorData>([
  ['b.weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, NaN, Infinity, -0) }],
  ['a.weight', { dtype: 'F16', shape: [3], data: Float32Array.of(1, 0.1, 65504) }],
  ['c', { dtype: 'BF16', shape: [], data: Float32Array.of(3) }],
  ['ids', { dtype: 'I64', shape: [1, 2], data: new Uint8Array(16).fill(7) }],
  ['nothing', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) }],
  ['flag\u00e9"\\\n', { dtype: 'BOOL', shape: [1], data: Uint8Array.of(1) }],
])

test('what is written is read back: types, shapes, bytes, metadata', async () => {
  const bytes = writeSafetensors(sample(), { format: 'pt', note: 'caf\u00e9' })
  const file = parseSafetensors(bytes)
  assert.equal([...file.tensors.keys()], ['ids', 'b.weight', 'nothing', 'c', 'a.weight', 'flag\u00e9"\\\n'])
  assert.equal(Object.fromEntries(file.metadata), { format: 'pt', note: 'caf\u00e9' })
  assert.equal(file.tensors.get('b.weight')?.shape, [2, 3])
  const b = await readF32(file, 'b.weight', [2, 3])
  assert.ok(Number.isNaN(b[3]) && b[4] === Infinity && Object.is(b[5], -0))
  assert.is((await readF32(file, 'a.weight'))[1], 0.0999755859375)
  assert.equal([...await file.bytes('ids')], new Array(16).fill(7))
  assert.is((await readF32(file, 'nothing')).length, 0)
  assert.equal([...await file.bytes('flag\u00e9"\\\n')], [1])
})

test('the same tensors give the same bytes in any order, and each tensor is aligned to its type', () => {
  const first = writeSafetensors(sample(), { x: '1', a: '2' })
  const second = writeSafetensors(new Map([...sample()].reverse()), { a: '2', x: '1' })
  assert.equal(first, second)
  const header = Number(new DataView(first.buffer).getBigUint64(0, true))
  assert.is(header % 8, 0)
  const entries = JSON.parse(new TextDecoder().decode(first.subarray(8, 8 + header)))
  for (const [name, size] of [['ids', 8], ['b.weight', 4], ['c', 2], ['a.weight', 2]] as const) {
    assert.is((8 + header + entries[name].data_offsets[0]) % size, 0, name)
  }
})

test('the bytes are those of the safetensors library (0.8.0, safetensors.numpy.save)', () => {
  const tensors = new Map<string, TensorData>([
    ['b', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }],
    ['a', { dtype: 'F32', shape: [1], data: Float32Array.of(2) }],
    ['h', { dtype: 'F16', shape: [2], data: Float32Array.of(1, 2) }],
  ])
  const text = '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
    '"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}'
  const padded = text.padEnd(Math.ceil(text.length / 8) * 8)
  assert.equal(writeSafetensors(tensors, { format: 'pt' }),
    raw(padded, Uint8Array.of(0, 0, 0, 0x40, 0, 0, 0x80, 0x3f, 0, 0x3c, 0, 0x40)))
})

test('the prefix: too short, a header beyond the file, beyond 100 MB, beyond 2^53', () => {
  refuses(new Uint8Array(0), /at least 8 bytes/)
  refuses(new Uint8Array(7), /at least 8 bytes .* got 7 at byte 0/)
  refuses(raw('{}', 0, 3), /inside the file's 10 bytes, got a length of 3 at byte 0/)
  refuses(raw('{}', 0, 100_000_001), /at most 100000000 bytes, got 100000001/)
  refuses(raw('{}', 0, Number.MAX_SAFE_INTEGER), /at most 100000000 bytes/)
  refuses(new Uint8Array(16).fill(255), /at most 100000000 bytes/)
  refuses(raw(''), /expected "{" at byte 8/)
})

test('the header: UTF-8, JSON, depth, repeated keys, an object', () => {
  refuses(raw('x{}'), /expected "{" at byte 8/)
  refuses(raw('{"a":}'), /expected JSON in bytes 8 to 14/)
  refuses(raw('{}{}'), /expected JSON/)
  refuses(raw('{' + '"a":['.repeat(100_000)), /nested at most 4 deep, got more at byte/)
  refuses(raw('{"a":' + '['.repeat(3_000_000)), /nested at most 4 deep/)
  const bad = raw('{"__metadata__":{"a":"?"}}')
  bad[bad.indexOf(0x3f)] = 0xff
  refuses(bad, /expected UTF-8 text from byte 8/)
  const twice =
    '{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
  refuses(raw(twice), new RegExp(`expected each key once, got "w" again at byte ${8 + twice.lastIndexOf('"w"')}$`))
  refuses(raw('{"w":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /got "dtype" again/)
  refuses(
    raw(
      '{"w":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},' +
        '"\\u0077":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
    ),
    /got "w" again/,
  )
  refuses(raw('\ufeff{}'), /expected "{" at byte 8/)
})

test('an entry: type, keys, shape, offsets; the error names tensor and byte', () => {
  refuses(raw({ w: f32(0, 4, [1], 'F99') }, 4), /"m.safetensors" tensor "w" \(header byte 9\): "dtype" .* got "F99"/)
  refuses(raw({ w: f32(0, 4, [1], 'toString') }, 4), /"dtype"/)
  refuses(raw({ w: f32(0, 4, [1], null) }, 4), /"dtype"/)
  refuses(raw({ w: 3 }, 4), /expected an object/)
  refuses(raw({ w: [] }, 4), /expected an object/)
  refuses(raw({ w: { ...f32(0, 4) as object, more: 1 } }, 4), /got "more"/)
  refuses(raw({ w: { dtype: 'F32', shape: [1] } }, 4), /"data_offsets" expected two integers/)
  for (const shape of [
    [-1],
    [1.5],
    ['1'],
    'x',
    null,
    [1e300],
    [2 ** 53],
    [2 ** 40, 2 ** 40],
    new Array(33).fill(1),
    [2 ** 52, 3],
  ]) {
    refuses(raw({ w: f32(0, 4, shape) }, 4), /tensor "w" \(header byte 9\): "shape" expected/)
  }
  for (const at of [[0], [0, 4, 8], [-4, 0], [0.5, 4.5], ['0', '4'], [0, 2 ** 60], 'x', {}]) {
    refuses(raw({ w: { dtype: 'F32', shape: [1], data_offsets: at } }, 4), /"data_offsets" expected/)
  }
  refuses(raw({ w: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, 4), /begin <= end, got \[4, 0\]/)
  refuses(raw({ w: f32(0, 8, [2]) }, 4), /an end of at most 4 .* got 8; the file may have been cut short/)
  refuses(raw({ w: f32(0, 8, [1]) }, 8), /expected 4 bytes for F32 \[1\], got 8/)
  refuses(raw({ w: f32(0, 8, [2 ** 50]) }, 8), /expected 4503599627370496 bytes/)
})

test('places: overlap, gap, bytes before, after and between tensors', () => {
  refuses(
    raw({ a: f32(0, 8), b: f32(4, 12) }, 12),
    /tensor "b" expected to start at byte \d+, got byte \d+: it overlaps tensor "a"/,
  )
  refuses(raw({ a: f32(0, 8), b: f32(0, 8) }, 8), /overlaps/)
  refuses(raw({ a: f32(0, 4), b: f32(8, 12) }, 12), /leaves a gap after tensor "a"/)
  refuses(raw({ a: f32(4, 8) }, 8), /leaves a gap after the header/)
  refuses(raw({ a: f32(0, 4) }, 8), /expected the file to end at byte/)
  refuses(raw({}, 1), /expected the file to end at byte 10 with the header, got 11 bytes/)
  assert.is(parseSafetensors(raw({})).tensors.size, 0)
  refuses(raw({ a: f32(0, 8), e: f32(4, 4, [0]) }, 8), /overlaps/)
})

test('names of object internals are names like any other; metadata holds strings only', async () => {
  const file = parseSafetensors(raw('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"constructor":' +
    '{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8))
  assert.equal([...file.tensors.keys()], ['__proto__', 'constructor'])
  assert.is((await readF32(file, '__proto__')).length, 1)
  refuses(raw('{"w":{"__proto__":{"dtype":"F32"},"shape":[1],"data_offsets":[0,4]}}', 4), /got "__proto__"/)
  refuses(raw({ __metadata__: { a: 1 } }), /"__metadata__" \(header byte 9\): "a" expected a string/)
  refuses(raw({ __metadata__: [] }), /expected an object of strings/)
  const tagged = parseSafetensors(raw('{"__metadata__":{"__proto__":"x"}}'))
  assert.is(tagged.metadata.get('__proto__'), 'x')
  assert.is(({} as Record<string, unknown>).x, undefined)
})

test('a source that reads ranges is never asked for more than one tensor', async () => {
  const bytes = writeSafetensors(new Map(Array.from({ length: 20 }, (_, i) =>
    [`t${i}`, { dtype: 'F32', shape: [100], data: new Float32Array(100).fill(i) }] as const)))
  const asked: number[] = []
  const memory = memorySource({ m: bytes })
  const source = { ...memory,
    read: async () => assert.unreachable('read the whole file') as never,
    readRange: async (name: string, start: number, end: number) => {
      asked.push(end - start)
      return memory.readRange!(name, start, end)
    } }
  const file = await openSafetensors(source, 'm')
  assert.is(asked.length, 2, 'prefix and header')
  assert.is((await readF32(file, 't7'))[99], 7)
  assert.equal(asked.slice(2), [400])
  await rejects(openSafetensors({ ...memory, size: async () => bytes.length + 8 }, 'm'), /expected the file to end/)
  const short = await openSafetensors({ ...memory, readRange: async (name, start, end) =>
    memory.readRange!(name, start, end === bytes.length ? end - 1 : end) }, 'm')
  await rejects(short.bytes([...short.tensors.keys()].pop()!), /expected 400 bytes from byte \d+, got 399/)
})

test('asking for what is not there says so and names what is near', async () => {
  const file = parseSafetensors(writeSafetensors(new Map([['bert.embeddings.LayerNorm.weight',
    { dtype: 'F32', shape: [2], data: new Float32Array(2) }]])))
  await rejects(readF32(file, 'embeddings.LayerNorm.weight'),
    /expected a tensor "embeddings.LayerNorm.weight".*similar names: "bert.embeddings.LayerNorm.weight"/)
  await rejects(readF32(file, 'bert.embeddings.LayerNorm.weight', [3]), /expected shape \[3\], got \[2\]/)
})

test('the writer refuses wrong lengths, names and types', () => {
  const write = (name: string, tensor: unknown) => () => writeSafetensors(new Map([[name, tensor as TensorData]]))
  assert.throws(
    write('w', { dtype: 'F32', shape: [3], data: new Float32Array(2) }),
    /expected 3 values for \[3\], got 2/,
  )
  assert.throws(write('w', { dtype: 'F32', shape: [1], data: new Uint8Array(3) }), /expected 4 bytes/)
  assert.throws(write('__metadata__', { dtype: 'F32', shape: [0], data: new Float32Array(0) }), /reserved/)
  assert.throws(write('', { dtype: 'F32', shape: [0], data: new Float32Array(0) }), /not empty/)
  assert.throws(write('\ud800', { dtype: 'F32', shape: [0], data: new Float32Array(0) }), /well-formed/)
  assert.throws(write('w', { dtype: 'F31', shape: [0], data: new Float32Array(0) }), /known type/)
})

test('6,000 damaged files: each gives the same tensors or a FormatError, never anything else', async () => {
  const random = rng(2024)
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '0',
    '9',
    '-',
    'e',
    '\\',
    '"w":',
    '"shape"',
    '"dtype"',
    '"data_offsets"',
    '"__metadata__"',
    '"__proto__"',
    '18446744073709551616',
    '1e308',
    'null',
    '\u0000',
    'BF16',
    'F64',
    '{{{{{{',
  ].map(s => encoder.encode(s))
  let accepted = 0
  for (let round = 0; round < 6000; round++) {
    const original = writeSafetensors(sample(), { format: 'pt' })
    const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true))
    let bytes = original
    for (let changes = random.int(1, 3); changes > 0; changes--) {
      const at = random.int(0, random.uniform() < 0.9 ? Math.min(headerEnd, bytes.length - 1) : bytes.length - 1)
      const kind = random.int(0, 4)
      if (kind === 0) {
        bytes = bytes.slice()
        bytes[at] ^= 1 << random.int(0, 7)
      } else if (kind === 1) bytes = bytes.slice(0, at)
      else if (kind === 2) bytes = join(bytes.slice(0, at), bytes.slice(at + random.int(1, 8)))
      else if (kind === 3) bytes = join(bytes.slice(0, at), pieces[random.int(0, pieces.length - 1)], bytes.slice(at))
      else {
        bytes = bytes.slice()
        bytes.set(pieces[random.int(0, pieces.length - 1)].subarray(0, bytes.length - at), at)
      }
      if (bytes.length === 0) break
    }
    for (const open of [async () => parseSafetensors(bytes), () => openSafetensors(memorySource({ m: bytes }), 'm')]) {
      try {
        const file = await open()
        let total = 0
        for (const info of file.tensors.values()) {
          const data = await file.bytes(info.name)
          assert.is(data.length, info.byteLength)
          total += data.length
        }
        const header = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
        assert.is(8 + header + total, bytes.length, 'every byte of the file belongs to one tensor')
        accepted++
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
      }
    }
  }
  assert.ok(accepted > 100 && accepted < 8000, `both outcomes are exercised: ${accepted} accepted`)
})

function join(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { out.set(part, at); at += part.length }
  return out
}

test.run()
