// The privacy engine: noise and release of a million coordinates, ChaCha20, rotation, accountants; each with its growth.
// Every time is preceded by a check of what is timed; where it fails, the row says so and has no time.
import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const title = 'Privacy: noise, stream cipher, rotation, accountants (one thread)'

const dist = (path) => new URL(`../dist/${path}`, import.meta.url).href

/**
 * @param {{ quick?: boolean }} context
 * @returns {Promise<object[]>} rows as bench/lib/rows.mjs has them
 */
export async function rows({ quick = false } = {}) {
  const { instantiate } = await import(dist('wasm/instantiate.js'))
  const { Arena } = await import(dist('wasm/arena.js'))
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 65536 })
  const wasm = readFileSync(fileURLToPath(dist('wasm/sotto.simd.wasm')))
  const scratch = { kernels: await instantiate(new WebAssembly.Module(wasm), memory), arena: new Arena(memory) }
  const found = []
  for (const part of [noise, chacha20, rotation, accountant, calibration]) found.push(...await part(scratch, memory, quick))
  return found
}

/** Milliseconds: the least of some calls, which other work on the machine disturbs least. */
async function best(times, body) {
  let least = Infinity
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    await body()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

/** Rows of growing sizes; the note of each but the first compares the time with the size. */
async function growth(sizes, measure) {
  const out = []
  let before
  for (const size of sizes) {
    const { row, failed, ms } = await measure(size)
    if (failed) out.push({ ...row, failed })
    else {
      const note = before ? `size x ${(size / before.size).toPrecision(2)}, time x ${(ms / before.ms).toPrecision(2)}` : ''
      out.push({ ...row, note: [row.note, note].filter(Boolean).join('; ') })
      before = { size, ms }
    }
  }
  return out
}

const sizeText = (n) => n >= 1e6 ? `${(n / 1e6).toPrecision(2)} million` : n.toLocaleString('en')

async function noise(scratch, _memory, quick) {
  const { Aggregate, chooseLattice, encode, release, SystemNoise } = await import(dist('privacy/mechanism/index.js'))
  const { SeededNoise } = await import(dist('privacy/mechanism/seeded-noise.js'))
  const publicSeed = new Uint8Array(32).fill(7)
  const random = (bytes) => crypto.getRandomValues(bytes)
  return growth(quick ? [1000, 10_000] : [10_000, 100_000, 1_000_000, 4_000_000], async (dimension) => {
    const lattice = chooseLattice({ clip: 1, cohort: 5000, dimension, noiseMultiplier: 1 })
    const row = { what: `noise and release, ${sizeText(dimension)} coordinates`, unit: 'ms' }
    if (dimension === 1_000_000) row.goal = { most: 200 }
    // noise alone: variance and mean of what is released from an empty sum, within six standard errors
    const empty = release(scratch, new Aggregate(scratch, lattice), new SeededNoise(1), { publicSeed, round: 1, simulation: true })
    const scale = lattice.sigmaInt * lattice.step / lattice.cohort
    const squares = empty.mean.reduce((sum, x) => sum + (x / scale) ** 2, 0) / dimension
    const mean = empty.mean.reduce((sum, x) => sum + x / scale, 0) / dimension
    if (Math.abs(squares - 1) > 6 * Math.sqrt(2 / dimension) || Math.abs(mean) > 6 / Math.sqrt(dimension)) {
      return { row, failed: `noise has mean ${mean} and variance ${squares} of the planned` }
    }
    // one client along the first coordinate comes out as itself over the cohort, up to the noise
    const update = new Float32Array(dimension)
    update[0] = 1
    const { values } = encode(scratch, lattice, update, { publicSeed, round: 2, client: 0 })
    let ms = Infinity
    for (let round = 2; round < (dimension > 1e6 ? 4 : 7); round++) {
      const aggregate = new Aggregate(scratch, lattice)
      aggregate.add(values)
      const source = new SystemNoise(random)
      let released
      ms = Math.min(ms, await best(1, () => { released = release(scratch, aggregate, source, { publicSeed, round }) }))
      if (Math.abs(released.mean[0] - 1 / lattice.cohort) > 9 * scale || released.noise !== 'system') return { row, failed: `released ${released.mean[0]} for ${1 / lattice.cohort}` }
    }
    return { ms, row: { ...row, value: ms, note: `${(ms * 1e6 / dimension).toFixed(0)} ns a coordinate, fresh key from the system` } }
  })
}

async function chacha20({ kernels, arena }, memory, quick) {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i)
  return growth(quick ? [16] : [16, 1024, 16_384], async (kilobytes) => {
    const blocks = kilobytes * 16
    const row = { what: `ChaCha20, ${sizeText(kilobytes)} KiB` }
    return arena.frame(blocks * 64 + 128, (at) => {
      const state = at + blocks * 64
      const bytes = new Uint8Array(memory.buffer, state, 64)
      const start = () => {
        bytes.set(new TextEncoder().encode('expand 32-byte k'))
        bytes.set(key, 16)
        bytes.fill(0, 48)
      }
      start()
      kernels.chacha20_blocks(at, state, blocks)
      const expected = createCipheriv('chacha20', key, new Uint8Array(16)).update(new Uint8Array(blocks * 64))
      if (Buffer.compare(Buffer.from(memory.buffer, at, blocks * 64), expected) !== 0) return { row, failed: 'keystream differs from OpenSSL\'s' }
      const repeat = Math.max(1, Math.round((quick ? 64 : 32_768) / kilobytes))
      let ms = Infinity
      for (let i = 0; i < 5; i++) {
        const from = performance.now()
        for (let k = 0; k < repeat; k++) kernels.chacha20_blocks(at, state, blocks)
        ms = Math.min(ms, (performance.now() - from) / repeat)
      }
      return { ms, row: { ...row, value: blocks * 64 / ms / 1e6, unit: 'GB/s' } }
    })
  })
}

async function rotation({ kernels, arena }, memory, quick) {
  const key = Uint8Array.from({ length: 32 }, (_, i) => 3 * i)
  return growth(quick ? [2 ** 10] : [2 ** 14, 2 ** 17, 2 ** 20], async (n) => {
    const row = { what: `rotation, ${sizeText(n)} coordinates`, unit: 'ms' }
    const streamBytes = kernels.chacha20_stream_bytes()
    return arena.frame(4 * n + streamBytes + 64, (at) => {
      const stream = at + 4 * n, label = stream + streamBytes
      const open = () => {
        new Uint8Array(memory.buffer, label, 48).fill(0)
        new Uint8Array(memory.buffer, label + 16, 32).set(key)
        kernels.chacha20_start(stream, label + 16, label)
      }
      const x = new Float32Array(memory.buffer, at, n)
      // there and back gives n times the vector; the energy grows by n
      const value = (i) => (i * 7919 % 1000) / 1000 - 0.5
      for (let i = 0; i < n; i++) x[i] = value(i)
      const energy = x.reduce((sum, v) => sum + v * v, 0)
      open()
      kernels.random_rotate(at, n, stream)
      const turned = x.reduce((sum, v) => sum + v * v, 0) / n
      open()
      kernels.random_unrotate(at, n, stream)
      let worst = 0
      for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(x[i] / n - value(i)))
      if (worst > 1e-4 || Math.abs(turned / energy - 1) > 1e-4) return { row, failed: `there and back is off by ${worst}, energy by ${turned / energy - 1}` }
      let ms = Infinity
      for (let i = 0; i < 5; i++) {
        x.fill(0.001)
        open()
        const from = performance.now()
        kernels.random_rotate(at, n, stream)
        ms = Math.min(ms, performance.now() - from)
      }
      return { ms, row: { ...row, value: ms, note: `${(ms * 1e6 / n).toFixed(1)} ns a coordinate` } }
    })
  })
}

/** Known to twelve digits by contour integration: cohort 5,000 of a million, δ = 1e-6, noise for ε = 2 at 2,000 rounds. */
const KNOWN = { noiseMultiplier: 0.86389, samplingRate: 0.005, rounds: 2000, delta: 1e-6, epsilon: 2 }

async function accountant(_scratch, _memory, quick) {
  const { pldAccountant, poissonGaussian, rdpAccountant } = await import(dist('privacy/accountant/index.js'))
  const where = { unit: 'client', adjacency: 'add-remove' }
  const { noiseMultiplier, samplingRate, delta } = KNOWN
  const cost = (empty, rounds) => empty.compose(poissonGaussian({ noiseMultiplier, samplingRate }), rounds).epsilon(delta)
  return growth(quick ? [20] : [200, 2000, 20_000], async (rounds) => {
    const row = { what: `epsilon of ${sizeText(rounds)} rounds, grid 1e-4`, unit: 's', ...(rounds === 2000 && { goal: { most: 2 } }) }
    const epsilon = cost(pldAccountant({ ...where, discretisation: 1e-4 }), rounds)
    const loose = cost(rdpAccountant(where), rounds)
    if (!(epsilon > 0 && epsilon <= loose)) return { row, failed: `epsilon ${epsilon} expected to be positive and at most that of Rényi DP, ${loose}` }
    if (rounds === KNOWN.rounds && Math.abs(epsilon - KNOWN.epsilon) > 2e-4) return { row, failed: `epsilon ${epsilon} expected ${KNOWN.epsilon}` }
    const ms = await best(3, () => cost(pldAccountant({ ...where, discretisation: 1e-4 }), rounds))
    return { ms, row: { ...row, value: ms / 1000, note: `epsilon ${epsilon.toFixed(4)}` } }
  })
}

async function calibration(_scratch, _memory, quick) {
  const { calibrateNoise, epsilonOf } = await import(dist('privacy/accountant/index.js'))
  const promise = { unit: 'client', adjacency: 'add-remove', delta: KNOWN.delta, samplingRate: KNOWN.samplingRate }
  return growth(quick ? [20] : [200, 2000, 20_000], async (rounds) => {
    const row = { what: `noise for epsilon 2 in ${sizeText(rounds)} rounds`, unit: 's', ...(rounds === 2000 && { goal: { most: 20 } }) }
    let noiseMultiplier
    const ms = await best(1, () => { noiseMultiplier = calibrateNoise({ ...promise, rounds, epsilon: 2 }) })
    const reached = epsilonOf({ ...promise, rounds, noiseMultiplier }), less = epsilonOf({ ...promise, rounds, noiseMultiplier: noiseMultiplier * 0.9999 })
    if (!(reached <= 2 && less > 2)) return { row, failed: `noise ${noiseMultiplier} costs ${reached}, and a little less ${less}` }
    return { ms, row: { ...row, value: ms / 1000, note: `noise multiplier ${noiseMultiplier.toFixed(5)}` } }
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { textTable } = await import('./lib/rows.mjs')
  console.log(textTable(title, await rows({ quick: process.argv.includes('--quick') })))
}
