/** Double-precision twin of assembly/kernels/functions.ts. */
import { erf } from './math.ts'
import type { Vec } from './vec.ts'

export const expForward = (x: Vec) => Float64Array.from(x, Math.exp)
export const logForward = (x: Vec) => Float64Array.from(x, Math.log)
export const erfForward = (x: Vec) => Float64Array.from(x, erf)
