/** What the golden tests of the real models share: values from a generator, comparisons relative to the largest. */
import type { Slice } from '../../src/peft/slice.ts'
import type { Classifier } from '../../src/train/classifier.ts'
import { withGradients } from '../../src/train/gradients.ts'
import { close } from './close.ts'
import { transpose } from './golden.ts'
import type { Golden } from './golden.ts'

interface Recipe { readonly name: string, readonly shape: readonly number[], readonly seed: number, readonly scale: number }

/** A tensor that golden.json describes by shape, seed and scale (test/fixtures/README.md). */
function seeded({ shape, seed, scale }: Recipe): Float32Array {
  let state = seed
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return ((state >>> 8) / 2 ** 23 - 1) * scale
  })
}

/** Gives factors and head their first values. `nameOf`: our tensor's name from the recipe's. */
export function startFrom(g: Golden, task: Classifier, nameOf: (name: string) => string): void {
  for (const recipe of g.json.init as Recipe[]) {
    const tensor = task.parameters.get(nameOf(recipe.name)), values = seeded(recipe)
    tensor?.write(recipe.name.includes('.lora_B.') ? transpose(values, recipe.shape[0], recipe.shape[1]) : values)
  }
}

/** The largest absolute value. */
export function most(x: ArrayLike<number>): number {
  return Array.from(x).reduce((top, v) => Math.max(top, Math.abs(v)), 0)
}

/** |got - expected| <= tolerance * the largest expected. */
export function near(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, title: string): void {
  close(got, expected, tolerance * most(expected), title)
}

/** Loss and the gradient of every part, B transposed back to [outputs, rank]. */
export function gradientsOf(task: Classifier, g: Golden, slice: Slice): { loss: number, gradients: Map<string, Float32Array> } {
  const { arena } = task.encoder.engine
  return withGradients(task, task.pack(g.json.sequences), Int32Array.from(g.json.labels), slice, {}, (addresses, { loss }) => ({
    loss,
    gradients: new Map(slice.parts.map(part => {
      const rows = part.to - part.from, values = arena.f32(addresses.get(part)!, rows * part.columns).slice()
      return [part.tensor, part.tensor.endsWith('.lora_B') ? transpose(values, rows, part.columns) : values]
    })),
  }))
}

/**
 * How far the last of a chain of sums may be off, relative to the largest value: each of `terms` additions on the
 * longest path rounds by at most 2^-24 of a partial sum no larger than the values themselves, and roundings are
 * independent enough that their sum grows with the square root of their number.
 */
export function walk(terms: number): number { return 2 ** -24 * Math.sqrt(terms) }
