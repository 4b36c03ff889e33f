/**
 * Kernels that take each element by itself, over special values, any bits, a sweep of where they bend, and every
 * remainder of a vector.
 * @module
 */
import type { Desk } from './desk.ts'
import type { Section } from './section.ts'
import { anyBits, pairs, SPECIAL, uniform } from './values.ts'

const FORWARD = ['exp_forward', 'log_forward', 'phi_forward', 'gelu_erf_forward', 'gelu_tanh_forward', 'relu_forward', 'silu_forward', 'tanh_forward']
const BACKWARD = ['gelu_erf_backward', 'gelu_tanh_backward', 'relu_backward', 'silu_backward', 'tanh_backward']

const inputs = (): Float32Array[] => [
  SPECIAL, anyBits('functions', 4096), uniform('near', 2048, 4), uniform('wide', 2048, 110),
  ...Array.from({ length: 18 }, (_, n) => uniform(`remainder ${n}`, n, 3)),
]

/** out = f(x). */
function unary(name: string): Section {
  return { name: `kernel/${name}`, level: 'quick', run({ desk }, sink) {
    for (const x of inputs()) {
      desk.clear()
      const out = desk.space(x.byteLength + 64)
      desk.k[name](out, desk.put(x), x.length)
      sink.f32(desk.f32(out, x.length + 4))
    }
  } }
}

/** out = f(a, b). */
function binary(name: string, level: 'quick' | 'full', call: (desk: Desk, out: number, a: number, b: number, n: number) => void): Section {
  return { name: `kernel/${name}`, level, run({ desk }, sink) {
    const [a, b] = pairs()
    const cases = [[a, b], [anyBits('left', 4096), anyBits('right', 4096)],
      ...Array.from({ length: 18 }, (_, n) => [uniform(`a ${n}`, n), uniform(`b ${n}`, n)])]
    for (const [x, y] of cases) {
      desk.clear()
      const out = desk.space(x.byteLength + 64)
      call(desk, out, desk.put(x), desk.put(y), x.length)
      sink.f32(desk.f32(out, x.length + 4))
    }
  } }
}

export const functions: readonly Section[] = [
  ...FORWARD.map(unary),
  ...BACKWARD.map(name => binary(name, 'quick', (desk, out, dy, x, n) => { desk.k[name](out, dy, x, n) })),
  binary('multiply', 'quick', (desk, out, a, b, n) => { desk.k['multiply'](out, a, b, n) }),
  binary('add', 'quick', (desk, out, a, b, n) => { desk.k['add'](out, a, b, n) }),
  binary('axpy', 'full', (desk, out, a, b, n) => {
    desk.k['copy'](out, a, n)
    desk.k['axpy'](out, b, -0.7, n)
  }),
  binary('scale', 'full', (desk, out, a, _, n) => { desk.k['scale'](out, a, 2 ** -30 / 3, n) }),
  { name: 'kernel/convert', level: 'full', run({ desk }, sink) {
    const every = Uint16Array.from({ length: 65536 }, (_, i) => i)
    for (const name of ['f16_to_f32', 'bf16_to_f32']) {
      desk.clear()
      const out = desk.space(4 * every.length)
      desk.k[name](out, desk.put(every), every.length)
      sink.f32(desk.f32(out, every.length))
    }
    for (const name of ['f32_to_f16', 'f32_to_bf16']) {
      for (const x of inputs().map(values => values.filter(value => value === value))) {
        desk.clear()
        const out = desk.space(2 * x.length + 16)
        desk.k[name](out, desk.put(x), x.length)
        sink.u8(desk.u8(out, 2 * x.length + 16))
      }
    }
  } },
]
