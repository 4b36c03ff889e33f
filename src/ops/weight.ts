/**
 * The weight of a linear layer behind one small interface, so that formats can be added without touching a model:
 * frozen weights packed as f32, f16 or bf16, and dense f32 weights that may be trained.
 * @module
 */
import { show } from '../assert.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Engine } from '../wasm/engine.ts'
import type { Kernels } from '../wasm/instantiate.ts'
import type { IntegerRows } from './int8-rows.ts'
import { int8Weight } from './int8-weight.ts'
import { checkHalf } from './table.ts'

/** How a frozen weight is stored. */
export type WeightFormat = 'f32' | 'f16' | 'bf16' | 'int8'

const CODES: Readonly<Record<Exclude<WeightFormat, 'int8'>, number>> = { f32: 0, f16: 1, bf16: 2 }

/** The products of an int8 weight with rows that are integers already: operands as `int8_rows` writes them. */
export interface IntegerProducts {
  /** Address of the factors of dy's columns, before they become integers. */
  readonly fold: number
  /** Bytes of scratch that either product needs. */
  readonly scratch: number
  forward(kernels: Kernels, y: number, operand: number, bias: number, rows: number, scratch: number): void
  backwardInput(kernels: Kernels, dx: number, operand: number, rows: number, accumulate: boolean, scratch: number): void
}

/** W [outputs, inputs] of y = x W^T + bias. Addresses and sizes as in assembly/kernels/linear.ts. */
export interface Weight {
  readonly outputs: number
  readonly inputs: number
  /** The tensor, where the weight can be trained. */
  readonly dense: Tensor | undefined
  /** The same products from integers, where the weight is int8: for rows that several products read. */
  readonly integers?: IntegerProducts
  /** Bytes of scratch that either product needs. */
  readonly scratch: number
  /** y[rows, outputs] = bias + x[rows, inputs] W^T; bias 0: none. */
  forward(kernels: Kernels, y: number, x: number, bias: number, rows: number, scratch: number): void
  /** dx[rows, inputs] = (dx if accumulate, else 0) + dy[rows, outputs] W. */
  backwardInput(kernels: Kernels, dx: number, dy: number, rows: number, accumulate: boolean, scratch: number): void
  /** The values as f32, row-major: exact. */
  read(): Float32Array
  /** Overwrites all values, rounding to the format. */
  write(values: Float32Array): void
  /** Keeps what is stored; the function given back restores it bit for bit. */
  save(): () => void
}

/** A frozen weight, packed for the kernels; without values it is there already, packed by another thread. */
export function packedWeight(
  engine: Engine, format: WeightFormat, outputs: number, inputs: number, values: Float32Array | IntegerRows | undefined, title = 'weight',
): Weight {
  if (format === 'int8') return int8Weight(engine, outputs, inputs, values, title)
  if (values && !(values instanceof Float32Array)) throw new TypeError(`"values" expected a Float32Array for ${show(format)}, got integers`)
  const { kernels, arena } = engine
  const code = CODES[format]
  if (code === undefined) throw new RangeError(`"format" expected f32, f16, bf16 or int8, got ${show(format)}`)
  const length = kernels['packed_weight_length'](outputs, inputs)
  const ptr = arena.reserve(length * (format === 'f32' ? 4 : 2))
  const lanes = engine.variant === 'scalar' ? 1 : 4
  const bytes = length * (format === 'f32' ? 4 : 2)
  const weight: Weight = {
    outputs, inputs, dense: undefined,
    scratch: kernels['gemm_scratch'](),
    forward: (k, y, x, bias, rows, scratch) => {
      k['linear_forward'](y, x, ptr, code, bias, rows, outputs, inputs, scratch)
    },
    backwardInput: (k, dx, dy, rows, accumulate, scratch) => {
      k['linear_backward_input'](dx, dy, ptr, code, rows, outputs, inputs, accumulate ? 1 : 0, scratch)
    },
    read() {
      const packed = new Float32Array(length)
      if (format === 'f32') packed.set(arena.f32(ptr, length))
      else {
        arena.frame(length * 4, wide => {
          kernels[format === 'f16' ? 'f16_to_f32' : 'bf16_to_f32'](wide, ptr, length)
          packed.set(arena.f32(wide, length))
        })
      }
      return unpack(packed, outputs, inputs, lanes)
    },
    write(next) {
      if (next.length !== outputs * inputs) {
        throw new RangeError(`"weight" expected ${outputs} x ${inputs} values, got ${next.length}`)
      }
      const scratch = kernels['gemm_scratch']()
      arena.frame(next.length * 4 + 64 + scratch, block => {
        arena.f32(block, next.length).set(next)
        if (format === 'f16') checkHalf(engine, title, block, next.length)
        kernels['pack_weight'](ptr, block, code, outputs, inputs, block + Math.ceil(next.length * 4 / 64) * 64)
      })
    },
    save() {
      const kept = arena.u8(ptr, bytes).slice()
      return () => arena.u8(ptr, bytes).set(kept)
    },
  }
  if (values) weight.write(values)
  return Object.freeze(weight)
}

/** A dense f32 weight, as a tensor of its own: for full fine-tuning and for heads. */
export function denseWeight(tensor: Tensor): Weight {
  const [outputs, inputs] = tensor.shape
  return Object.freeze({
    outputs, inputs, dense: tensor, scratch: tensor.engine.kernels['gemm_scratch'](),
    forward: (k: Kernels, y: number, x: number, bias: number, rows: number, scratch: number) => {
      k['matmul'](y, outputs, x, inputs, 1, tensor.ptr, 1, inputs, rows, outputs, inputs, 1, bias ? 2 : 0, bias, scratch)
    },
    backwardInput: (k: Kernels, dx: number, dy: number, rows: number, accumulate: boolean, scratch: number) => {
      k['matmul'](dx, inputs, dy, outputs, 1, tensor.ptr, inputs, 1, rows, inputs, outputs, 1, accumulate ? 1 : 0, 0, scratch)
    },
    read: () => tensor.read(),
    write: (values: Float32Array) => { tensor.write(values) },
    save() {
      const kept = tensor.read()
      return () => { tensor.write(kept) }
    },
  })
}

/** Panels [outputs / 2 lanes][inputs][2 lanes], the last of one lane vector if that is enough, to rows. */
function unpack(packed: Float32Array, outputs: number, inputs: number, lanes: number): Float32Array {
  const out = new Float32Array(outputs * inputs)
  for (let j = 0; j < outputs; j += 2 * lanes) {
    const width = outputs - j > lanes ? 2 * lanes : lanes
    for (let k = 0; k < inputs; k++) {
      for (let i = 0; i < width && j + i < outputs; i++) out[(j + i) * inputs + k] = packed[j * inputs + k * width + i]
    }
  }
  return out
}
