/**
 * Constants that live in the module's static data, not in its code.
 *
 * Engines build a v128 constant from two 64-bit integers, each time it is used in a loop: three instructions, for
 * one that loads and splats. exp and what stands on it take a third less time this way.
 */
import { splatLoad } from '../lanes'

/** The constant at an address that `memory.data` gave, in every lane. */
// @ts-ignore: decorator
@inline export function constant<T>(ptr: usize): T { return splatLoad<T>(ptr) }

export const HALF = memory.data<f32>([0.5])
export const ONE = memory.data<f32>([1])
export const TWO = memory.data<f32>([2])
