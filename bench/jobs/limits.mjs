// The loops of limits.ts in this engine.
import { openLimits } from '../lib/limits.mjs'

const { quick } = JSON.parse(process.argv[2])
const { loops } = await openLimits(quick ? { ms: 0.5, tries: 2 } : { ms: 10, tries: 25 })
console.log(JSON.stringify({ loops }))
