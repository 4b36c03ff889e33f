/**
 * Kernels over whole arrays, whose order of summation is part of their definition, and optimisers.
 * @module
 */
import type { Section } from './section.ts'
import { anyBits, integers, SPECIAL, uniform } from './values.ts'

const numbers = (x: Float32Array): Float32Array => x.filter(value => Math.abs(value) <= 3e38)

const reductions: Section = { name: 'kernel/reduce', level: 'quick', run({ desk }, sink) {
  const mixed = Array.from({ length: 36 }, (_, n) => uniform(`sum ${n}`, n, [1, 10, 1e3, 1e5][n % 4]))
  for (const x of [SPECIAL, numbers(SPECIAL), numbers(anyBits('sum', 1000)), uniform('long', 10007), ...mixed]) {
    desk.clear()
    const ptr = desk.put(x), other = desk.put(uniform('other', x.length)), n = x.length
    sink.f64(desk.k['sum'](ptr, n), desk.k['sum_squares'](ptr, n), desk.k['dot_f64'](ptr, other, n),
      desk.k['max_abs'](ptr, n), desk.k['first_nonfinite'](ptr, n), desk.k['slice_norm_squared'](ptr, n))
  }
} }

const columnSums: Section = { name: 'kernel/column_sums', level: 'full', run({ desk }, sink) {
  for (let C = 1; C <= 17; C++) {
    for (const M of [1, 2, 3, 4, 5, 33]) {
      desk.clear()
      const out = desk.space(4 * C + 16)
      desk.k['column_sums'](out, desk.put(uniform(`columns ${M}`, M * C, 100)), M, C)
      sink.f32(desk.f32(out, C + 4))
    }
  }
} }

const embedding: Section = { name: 'kernel/embedding', level: 'full', run({ desk }, sink) {
  for (let C = 1; C <= 17; C++) {
    desk.clear()
    const M = 7, rows = 5, size = 4 * M * C
    const ids = desk.put(integers(`ids ${C}`, M, rows)), table = desk.put(uniform(`table ${C}`, rows * C))
    const out = desk.space(size), dtable = desk.space(4 * rows * C)
    desk.k['embedding_forward'](out, ids, table, M, C)
    sink.f32(desk.f32(out, M * C))
    desk.k['embedding_add_forward'](out, desk.put(integers(`more ${C}`, M, rows)), table, M, C)
    sink.f32(desk.f32(out, M * C))
    desk.k['embedding_backward'](dtable, out, ids, M, C)
    sink.f32(desk.f32(dtable, rows * C))
  }
} }

const optimisers: Section = { name: 'kernel/optimizer', level: 'quick', run({ desk }, sink) {
  for (let n = 1; n <= 18; n++) {
    desk.clear()
    const param = desk.put(uniform(`param ${n}`, n)), velocity = desk.space(4 * n), second = desk.space(4 * n)
    for (let step = 1; step <= 3; step++) {
      const grad = desk.put(uniform(`grad ${n} ${step}`, n, [1, 0.1, 1e-2, 1e-4][n % 4]))
      desk.k['sgd_step'](param, velocity, grad, n, 0.05, 0.9, 0.01)
      sink.f32(desk.f32(param, n)).f32(desk.f32(velocity, n))
    }
    desk.k['zero'](velocity, n)
    for (let step = 1, beta1 = 0.9, beta2 = 0.999; step <= 3; step++, beta1 *= 0.9, beta2 *= 0.999) {
      const grad = desk.put(uniform(`adam ${n} ${step}`, n, [1, 0.1, 1e-2, 1e-4][n % 4]))
      desk.k['adamw_step'](param, velocity, second, grad, n, 1e-3, 0.9, 0.999, 1e-8, 0.01, 1 - beta1, 1 - beta2)
      sink.f32(desk.f32(param, n)).f32(desk.f32(velocity, n)).f32(desk.f32(second, n))
    }
  }
} }

const linearClassifier: Section = { name: 'kernel/linear_classifier_train', level: 'full', run({ desk }, sink) {
  for (const [V, K] of [[2, 1], [3, 5], [5, 9], [8, 33], [10, 400], [17, 12]]) {
    desk.clear()
    const rows = 7, batch = 3, epochs = 2, name = `classifier ${V} ${K}`
    const weight = desk.put(uniform(`${name} weight`, V * K)), bias = desk.put(uniform(`${name} bias`, V)), table = desk.put(uniform(name, rows * K))
    const ids = desk.put(integers(`${name} ids`, epochs * rows, rows)), targets = desk.put(integers(`${name} targets`, epochs * rows, V)), loss = desk.space(8)
    const done = desk.k['linear_classifier_train'](weight, bias, table, ids, targets, epochs, rows, batch, V, K, 0.1, loss,
      desk.space(desk.k['linear_classifier_scratch'](batch, V, K)))
    sink.f64(done, new Float64Array(desk.u8(loss, 8).buffer)[0]).f32(desk.f32(weight, V * K)).f32(desk.f32(bias, V))
  }
} }

export const arrays: readonly Section[] = [reductions, columnSums, embedding, optimisers, linearClassifier]
