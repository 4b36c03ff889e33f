// The privacy engine's rows: bench/privacy.mjs runs alone too.
export { rows, title } from '../privacy.mjs'
