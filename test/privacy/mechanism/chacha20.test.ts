import { createCipheriv, createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { within } from '../../../src/privacy/mechanism/scratch.ts'
import { fromHex, hex, scratch, seed } from './support.ts'

const key = Uint8Array.from({ length: 32 }, (_, i) => i)

function state(key: Uint8Array, counter: number, nonce: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set(new TextEncoder().encode('expand 32-byte k'))
  bytes.set(key, 16)
  new DataView(bytes.buffer).setUint32(48, counter, true)
  bytes.set(nonce, 52)
  return bytes
}

for (const variant of ['simd', 'scalar'] as const) {
  const memory = await scratch(variant)
  type Blocks = (from: Uint8Array, counter: number, nonce: Uint8Array, count: number) => Uint8Array
  const blocks: Blocks = (from, counter, nonce, count) => within(memory, 20_000, (frame) => {
    const out = frame.alloc(count * 64)
    frame.kernels.chacha20_blocks(out, frame.put(state(from, counter, nonce)), count)
    return memory.bytes().slice(out, out + count * 64)
  })
  const starts = (bytes: Uint8Array, expected: string) => assert.is(hex(bytes).slice(0, expected.length), expected)

  test(`${variant}: the block of RFC 8439, section 2.3.2`, () => {
    assert.is(hex(blocks(key, 1, fromHex('000000090000004a00000000'), 1)),
      '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2' +
      'b5129cd1de164eb9cbd083e8a2503c4e')
  })

  test(`${variant}: the keystream of RFC 8439, section 2.4.2, enciphers its text`, () => {
    const text = new TextEncoder().encode("Ladies and Gentlemen of the class of '99: " +
      'If I could offer you only one tip for the future, sunscreen would be it.')
    const stream = blocks(key, 1, fromHex('000000000000004a00000000'), 2)
    const cipher = hex(text.map((byte, i) => byte ^ stream[i]))
    assert.is(cipher.slice(0, 64), '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b')
    assert.is(cipher.slice(-36), '5af90bbf74a35be6b40b8eedf2785e42874d')
    assert.is(cipher.length, 228)
  })

  test(`${variant}: blocks of RFC 8439, appendix A.1: zeros, and a key with one bit`, () => {
    const zero = new Uint8Array(32), nonce = new Uint8Array(12)
    starts(blocks(zero, 0, nonce, 1), '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7')
    starts(blocks(zero, 1, nonce, 1), '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed')
    const one = zero.slice()
    one[31] = 1
    starts(blocks(one, 1, nonce, 1), '3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a')
  })

  test(`${variant}: any number of blocks, and the counter, equal another implementation's`, () => {
    for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 17]) {
      const counter = new Uint8Array(16)
      new DataView(counter.buffer).setUint32(0, 0xfffe, true)
      counter.set(fromHex('0102030405060708090a0b0c'), 4)
      const expected = createCipheriv('chacha20', key, counter).update(new Uint8Array(count * 64))
      assert.is(hex(blocks(key, 0xfffe, counter.slice(4), count)), hex(expected), `${count} blocks`)
    }
  })

  test(`${variant}: HChaCha20 of draft-irtf-cfrg-xchacha, section 2.2.1, and its work space is erased`, () => {
    within(memory, 20_000, (frame) => {
      const out = frame.alloc(32), work = frame.alloc(128)
      frame.kernels.hchacha20(out, frame.put(key), frame.put(fromHex('000000090000004a0000000031415927')), work)
      const subkey = memory.bytes().slice(out, out + 32)
      starts(subkey, '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc')
      assert.ok(memory.bytes().slice(work, work + 128).every((byte) => byte === 0))
    })
  })

  test(`${variant}: a stream is the keystream of its derived key, whatever the length asked for`, () => {
    const label = seed(3).slice(0, 16)
    for (const bytes of [1, 63, 64, 65, 1000, 1024, 4096]) {
      within(memory, 20_000, (frame) => {
        const stream = frame.alloc(frame.kernels.chacha20_stream_bytes()), out = frame.alloc(bytes)
        const derived = frame.alloc(32)
        frame.kernels.hchacha20(derived, frame.put(key), frame.put(label), frame.alloc(128))
        frame.kernels.chacha20_start(stream, frame.put(key), frame.put(label))
        frame.kernels.chacha20_fill(out, stream, bytes)
        const expected = createCipheriv('chacha20', memory.bytes().slice(derived, derived + 32), new Uint8Array(16))
          .update(new Uint8Array(bytes))
        assert.is(hex(memory.bytes().slice(out, out + bytes)), hex(expected))
      })
    }
  })
}

test('one megabyte has the golden hash', async () => {
  const memory = await scratch('simd')
  within(memory, 2 ** 20 + 100, (frame) => {
    const stream = frame.alloc(frame.kernels.chacha20_stream_bytes()), out = frame.alloc(2 ** 20)
    frame.kernels.chacha20_start(stream, frame.put(key), frame.put(new Uint8Array(16)))
    frame.kernels.chacha20_fill(out, stream, 2 ** 20)
    assert.is(createHash('sha256').update(memory.bytes().subarray(out, out + 2 ** 20)).digest('hex'),
      '78e4a29b392ddb864ac311a62d772a3d71814ab34bf5ec1134c04de79fcfbfd4')
  })
})

test.run()
