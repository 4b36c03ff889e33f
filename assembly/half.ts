/** Half-precision floats (IEEE 754 binary16), widened lane by lane. */
import { addInt, and, bitsOf, fromBits, ifBelow, left, or, splatInt } from './integers'
import { sub } from './lanes'

/** The f16 value whose bits are the low 16 of h, as the bits of an f32; exact, NaN payload kept. */
// @ts-ignore: decorator
@inline export function halfBits<T, I>(h: I): I {
  const rest = left<I>(and<I>(h, splatInt<I>(0x7fff)), 13)
  const normal = addInt<I>(rest, splatInt<I>(112 << 23))
  const beyond = addInt<I>(rest, splatInt<I>(224 << 23))
  // a denormal m * 2^-24 is (2^-14 + m * 2^-24) - 2^-14
  const least = splatInt<I>(113 << 23)
  const denormal = bitsOf<T, I>(sub<T>(fromBits<T, I>(addInt<I>(rest, least)), fromBits<T, I>(least)))
  const upper = ifBelow<I>(rest, splatInt<I>(0x7c00 << 13), normal, beyond)
  const bits = ifBelow<I>(rest, splatInt<I>(0x0400 << 13), denormal, upper)
  return or<I>(bits, left<I>(and<I>(h, splatInt<I>(0x8000)), 16))
}
