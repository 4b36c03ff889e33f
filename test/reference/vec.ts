/** An array of numbers, of whatever kind. */
export type Vec = ArrayLike<number>
