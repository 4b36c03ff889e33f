import { test } from 'uvu'
import { both } from '../support/both.ts'
import { close, EPS, sameBits } from '../support/close.ts'
import { checkGradient, dot } from '../support/gradient.ts'
import { rng } from '../support/rng.ts'
import { attentionBackward, attentionForward, probabilities } from '../reference/attention.ts'
import type { Head } from '../reference/attention.ts'

const run = await both()

interface Case {
  readonly lengths: readonly number[]
  readonly H: number
  readonly D: number
  readonly causal: boolean
  /** q, k, v side by side in rows of 3 H D, or three arrays of H D. */
  readonly fused: boolean
}

const parts = ['q', 'k', 'v'] as const

function inputs({ lengths, H, D }: Case) {
  const random = rng(lengths.reduce((sum, n) => sum * 31 + n, H * 1009 + D)), M = lengths.reduce((sum, n) => sum + n, 0), C = H * D
  const offsets = new Int32Array(lengths.length + 1)
  lengths.forEach((n, s) => { offsets[s + 1] = offsets[s] + n })
  return { M, C, offsets, qkv: parts.map(() => random.f32(M * C)), dout: random.f32(M * C) }
}

/** Both kernels on both builds, and gaps of fused gradients filled: [out, dq, dk, dv], each [M, C]. */
function kernels(c: Case): Float32Array[] {
  const { H, D, causal, fused, lengths } = c
  const { M, C, offsets, qkv, dout } = inputs(c)
  const scale = Math.fround(1 / Math.sqrt(D)), S = lengths.length, ld = fused ? 3 * C : C
  const got = run(`attention ${JSON.stringify(c)}`, ({ k, put, out, scratch }) => {
    const wide = new Float32Array(M * 3 * C)
    qkv.forEach((x, i) => x.forEach((v, j) => { wide[Math.floor(j / C) * 3 * C + i * C + j % C] = v }))
    const fusedAt = fused ? put(wide) : 0
    const at = qkv.map((x, i) => fused ? fusedAt + 4 * i * C : put(x))
    const gradient = fused ? out('dqkv', M * 3 * C) : 0
    const back = parts.map((name, i) => fused ? gradient + 4 * i * C : out(`d${name}`, M * C))
    const rows = put(offsets), space = scratch(k.attention_scratch(Math.max(0, ...lengths), D))
    k.attention_forward(out('out', M * C), at[0], at[1], at[2], rows, S, H, D, ld, C, scale, causal ? 1 : 0, space)
    k.attention_backward(back[0], back[1], back[2], put(dout), at[0], at[1], at[2], rows, S, H, D, ld, C, scale, causal ? 1 : 0, space)
  })
  if (!fused) return [got.out, got.dq, got.dk, got.dv]
  return [got.out, ...parts.map((_, i) => Float32Array.from({ length: M * C }, (_, j) => got.dqkv[Math.floor(j / C) * 3 * C + i * C + j % C]))]
}

const most = (x: ArrayLike<number>) => Array.from(x).reduce((top, v) => Math.max(top, Math.abs(v)), 0)

/**
 * Against doubles, head by head. A score is off by (D + 2) roundings of its size, a probability relatively by twice that
 * and T/4 + 12 roundings of exp, sum and division; sums over T rows add T roundings.
 */
function check(c: Case): void {
  const { H, D, causal, lengths } = c
  const { C, offsets, qkv, dout } = inputs(c)
  const got = kernels(c), title = JSON.stringify(c)
  for (const [s, T] of lengths.entries()) {
    for (let h = 0; h < H; h++) {
      const cut = (x: Float32Array) => Float32Array.from({ length: T * D }, (_, i) => x[(offsets[s] + Math.floor(i / D)) * C + h * D + i % D])
      const [q, k, v] = qkv.map(cut), d = cut(dout)
      const head: Head = { T, D, causal, scale: Math.fround(1 / Math.sqrt(D)) }
      const p = probabilities(q, k, head), expected = attentionBackward(d, q, k, v, head)
      const size = (a: Float32Array, b: Float32Array) => D * most(a) * most(b)
      const score = (D + 3) * EPS * head.scale * size(q, k), relative = 4 * score + (T / 4 + 14) * EPS + 2 * EPS * head.scale * size(q, k)
      close(cut(got[0]), attentionForward(q, k, v, head), (relative + (T + 2) * EPS) * most(v), `${title}: out`)
      const columns = Array.from({ length: T }, (_, j) => Array.from({ length: T }, (_, i) => p[i * T + j]).reduce((sum, x) => sum + x, 0))
      close(cut(got[3]), expected.dv, i => (relative + (T + 2) * EPS) * columns[Math.floor(i / D)] * most(d), `${title}: dv`)
      const dp = size(d, v), ds = 2 * dp * (2 * relative + (1.25 * T + 16) * EPS) + 2 * (D + 2) * EPS * dp
      close(cut(got[1]), expected.dq, head.scale * most(k) * ds, `${title}: dq`)
      close(cut(got[2]), expected.dk, i => head.scale * most(q) * ds * columns[Math.floor(i / D)], `${title}: dk`)
    }
  }
}

for (const causal of [false, true]) {
  const name = causal ? 'causal attention' : 'attention'
  test(`${name}, forward and backward, lengths 1 to 23, heads of 1 to 9 columns: within the roundings of scores, softmax and sums; both builds, nothing else written`, () => {
    for (const fused of [false, true]) {
      check({ lengths: [1], H: 1, D: 4, causal, fused })
      for (let D = 1; D <= 9; D++) check({ lengths: [D, 1, 12 - D], H: 2, D, causal, fused })
      for (let T = 1; T <= 13; T++) check({ lengths: [T], H: 3, D: 5, causal, fused })
      check({ lengths: [7, 1, 12, 4, 23], H: 4, D: 12, causal, fused })
      check({ lengths: [3, 0, 5], H: 2, D: 4, causal, fused })
    }
  })

  test(`${name} of more rows than a block of queries (63, 64, 65, 129, 200)`, () => {
    for (const T of [63, 64, 65, 129, 200]) check({ lengths: [T, 3], H: 1, D: 8, causal, fused: T % 2 === 0 })
  })
}

test('fused and separate layouts give the same bits; a sequence gives the same bits alone and among others', () => {
  for (const causal of [false, true]) {
    const c = { lengths: [9, 140, 2], H: 2, D: 6, causal, fused: false }
    const separate = kernels(c), fused = kernels({ ...c, fused: true })
    separate.forEach((x, i) => sameBits(fused[i], x, `fused ${i}`))
    const { C, offsets, qkv, dout } = inputs(c)
    c.lengths.forEach((T, s) => {
      const cut = (x: Float32Array) => x.slice(offsets[s] * C, offsets[s + 1] * C)
      const alone = run(`alone ${T}`, ({ k, put, out, scratch }) => {
        const [q, kk, v] = qkv.map(x => put(cut(x))), rows = put(Int32Array.of(0, T)), space = scratch(k.attention_scratch(T, c.D))
        const scale = Math.fround(1 / Math.sqrt(c.D))
        k.attention_forward(out('out', T * C), q, kk, v, rows, 1, c.H, c.D, C, C, scale, causal ? 1 : 0, space)
        k.attention_backward(out('dq', T * C), out('dk', T * C), out('dv', T * C), put(cut(dout)), q, kk, v, rows, 1, c.H, c.D, C, C, scale, causal ? 1 : 0, space)
      })
      ;[alone.out, alone.dq, alone.dk, alone.dv].forEach((x, i) => sameBits(x, cut(separate[i]), `sequence ${s}, ${i}`))
    })
  }
})

test('some heads at a time, forward and backward: the bits of all at once', () => {
  const c = { lengths: [5, 131], H: 5, D: 6, causal: false, fused: false }
  const whole = kernels(c), { M, C, offsets, qkv, dout } = inputs(c), scale = Math.fround(1 / Math.sqrt(c.D))
  const cut = run('heads', ({ k, put, out, scratch }) => {
    const at = qkv.map(x => put(x)), d = put(dout), rows = put(offsets), space = scratch(k.attention_scratch(131, c.D))
    const [o, dq, dk, dv] = ['out', 'dq', 'dk', 'dv'].map(name => out(name, M * C))
    for (const [from, to] of [[0, 2], [2, 3], [3, 5]]) {
      const [q, kk, v] = at.map(ptr => ptr + from * c.D * 4), skip = from * c.D * 4
      k.attention_forward(o + skip, q, kk, v, rows, 2, to - from, c.D, C, C, scale, 0, space)
      k.attention_backward(dq + skip, dk + skip, dv + skip, d + skip, q, kk, v, rows, 2, to - from, c.D, C, C, scale, 0, space)
    }
  })
  ;[cut.out, cut.dq, cut.dk, cut.dv].forEach((x, i) => sameBits(x, whole[i], `${i}`))
})

test('row i of causal attention has the bits of the last row of the first i + 1 rows alone, within and across blocks', () => {
  const c = { lengths: [150], H: 1, D: 7, causal: true, fused: false }
  const [out] = kernels(c), { C, qkv } = inputs(c)
  for (const n of [1, 2, 6, 63, 64, 65, 66, 128, 129, 150]) {
    const { out: prefix } = run(`prefix ${n}`, ({ k, put, out, scratch }) => {
      const [q, kk, v] = qkv.map(x => put(x.slice(0, n * C)))
      k.attention_forward(out('out', n * C), q, kk, v, put(Int32Array.of(0, n)), 1, 1, c.D, C, C, Math.fround(1 / Math.sqrt(c.D)), 0, scratch(k.attention_scratch(n, c.D)))
    })
    sameBits(prefix.slice((n - 1) * C), out.slice((n - 1) * C, n * C), `row ${n - 1}`)
  }
})

test('large scores do not overflow: a softmax of scores near 1e4 stays one-hot', () => {
  const D = 4, T = 5, q = new Float32Array(T * D).fill(100), k = rng(3).f32(T * D, 50), v = rng(4).f32(T * D)
  const { out } = run('large', ({ k: kernel, put, out, scratch }) => {
    kernel.attention_forward(out('out', T * D), put(q), put(k), put(v), put(Int32Array.of(0, T)), 1, 1, D, D, D, 1, 0, scratch(kernel.attention_scratch(T, D)))
  })
  close(out, attentionForward(q, k, v, { T, D, scale: 1, causal: false }), 1e-2, 'large scores')
})

test('the reference gradients of q, k and v agree with differences, causal and not', () => {
  const D = 3, random = rng(17)
  for (const T of [1, 4]) {
    for (const causal of [false, true]) {
      const head = { T, D, causal, scale: 0.7 }, [q, k, v, d] = [0, 1, 2, 3].map(() => random.f32(T * D))
      const { dq, dk, dv } = attentionBackward(d, q, k, v, head)
      checkGradient(x => dot(attentionForward(x, k, v, head), d), q, dq, 'q')
      checkGradient(x => dot(attentionForward(q, x, v, head), d), k, dk, 'k')
      checkGradient(x => dot(attentionForward(q, k, x, head), d), v, dv, 'v')
    }
  }
})

test.run()
