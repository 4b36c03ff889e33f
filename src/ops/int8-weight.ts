/**
 * A frozen weight as int8, one scale per output: products that are exact in integers (assembly/kernels/int8-linear.ts). Two
 * packed copies, one for each product of training: half of the memory of f32.
 * @module
 */
import type { Engine } from '../wasm/engine.ts'
import type { Kernels } from '../wasm/instantiate.ts'
import { integerRows } from './int8-rows.ts'
import type { IntegerRows } from './int8-rows.ts'
import type { IntegerProducts, Weight } from './weight.ts'

/** Longest sum for which int8 products are allowed: beyond it too few levels are left for the other operand. */
const LONGEST = 1 << 16

/** RangeError where a weight's sums, forward or backward, are too long for int8. */
export function checkTerms(title: string, outputs: number, inputs: number): void {
  if (Math.max(outputs, inputs) > LONGEST) {
    throw new RangeError(`"${title}" expected sums of at most ${LONGEST} terms for int8, got a weight of ${outputs} x ${inputs}; use f16`)
  }
}

/** Rows that are brought to integers at a time where nobody else reads them: as many as meet a panel at a time. */
const BLOCK = 140

/**
 * A frozen int8 weight from f32 values, or from integers and their scales; without either it is there already, packed by
 * another thread.
 */
export function int8Weight(
  engine: Engine, outputs: number, inputs: number, values: Float32Array | IntegerRows | undefined, title = 'weight',
): Weight {
  const { kernels, arena } = engine
  checkTerms(title, outputs, inputs)
  const forwardBytes = kernels['int8_packed_bytes'](outputs, inputs), backwardBytes = kernels['int8_packed_bytes'](inputs, outputs)
  const scale = arena.reserve(outputs * 4), forward = arena.reserve(forwardBytes), backward = arena.reserve(backwardBytes)
  const pack = ({ values, scales }: IntegerRows) => {
    arena.f32(scale, outputs).set(scales)
    arena.frame(values.length, block => {
      new Int8Array(arena.memory.buffer, block, values.length).set(values)
      kernels['int8_pack'](forward, block, inputs, 1, outputs, inputs)
      kernels['int8_pack'](backward, block, 1, inputs, inputs, outputs)
    })
  }
  const operandBytes = (rows: number, terms: number) => Math.ceil(kernels['int8_operand_bytes'](rows, terms) / 64) * 64
  const longest = Math.max(outputs, inputs), ownScratch = Math.max(kernels['gemm_scratch'](), kernels['int8_scratch']())
  const integers: IntegerProducts = {
    fold: scale, scratch: kernels['int8_scratch'](),
    forward: (k, y, x, bias, rows, scratch) => {
      k['int8_product'](y, outputs, x, forward, scale, bias, 0, rows, outputs, inputs, scratch)
    },
    backwardInput: (k, dx, dy, rows, accumulate, scratch) => {
      k['int8_product'](dx, inputs, dy, backward, 0, 0, accumulate ? 1 : 0, rows, inputs, outputs, scratch)
    },
  }
  /** A block of rows after the other, as integers in the scratch. */
  const blocks = (k: Kernels, from: number, terms: number, fold: number, rows: number, scratch: number, product: (operand: number, first: number, count: number) => void) => {
    const operand = scratch + ownScratch
    for (let first = 0; first < rows; first += BLOCK) {
      const count = Math.min(BLOCK, rows - first)
      k['int8_rows'](operand, from + first * terms * 4, fold, count, terms, 0, count, engine.tiles.forOperand(count, terms), 0, 0, 0, scratch)
      product(operand, first, count)
    }
  }
  const weight: Weight = {
    outputs, inputs, dense: undefined, integers,
    scratch: ownScratch + operandBytes(BLOCK, longest),
    forward: (k, y, x, bias, rows, scratch) => blocks(k, x, inputs, 0, rows, scratch, (operand, first, count) => {
      integers.forward(k, y + first * outputs * 4, operand, bias, count, scratch)
    }),
    backwardInput: (k, dx, dy, rows, accumulate, scratch) => blocks(k, dy, outputs, scale, rows, scratch, (operand, first, count) => {
      integers.backwardInput(k, dx + first * inputs * 4, operand, count, accumulate, scratch)
    }),
    read() {
      const packed = new Int8Array(arena.memory.buffer, forward, forwardBytes), scales = arena.f32(scale, outputs)
      const out = new Float32Array(outputs * inputs), even = inputs + inputs % 2
      for (let n = 0; n < outputs; n++) {
        const panel = (n - n % 8) * even + n % 8 * 2
        for (let k = 0; k < inputs; k++) out[n * inputs + k] = packed[panel + (k - k % 2) * 8 + k % 2] * scales[n]
      }
      return out
    },
    write(next) {
      if (next.length !== outputs * inputs) {
        throw new RangeError(`"weight" expected ${outputs} x ${inputs} values, got ${next.length}`)
      }
      pack(integerRows(engine, title, next, inputs))
    },
    save() {
      const parts = [[scale, outputs * 4], [forward, forwardBytes], [backward, backwardBytes]].map(([ptr, bytes]) => ({ ptr, bytes: arena.u8(ptr, bytes).slice() }))
      return () => parts.forEach(({ ptr, bytes }) => arena.u8(ptr, bytes.length).set(bytes))
    },
  }
  if (values instanceof Float32Array) weight.write(values)
  else if (values) pack(values)
  return Object.freeze(weight)
}
