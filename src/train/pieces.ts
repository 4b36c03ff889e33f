/**
 * Works through a batch in pieces of whole sequences, so that activations fit the cache and take the same memory however
 * large the batch is. No bit depends on the pieces: sequences do not see each other, and every sum over rows goes on, in
 * ascending order, where the piece before it ended.
 * @module
 */
import { checkBatch } from '../model/batch.ts'
import type { TokenBatch } from '../model/batch.ts'
import type { Engine } from '../wasm/engine.ts'

/** A graph of a piece, ready to run. */
export interface Piece {
  /** Memory that it takes. */
  bytes(): number
  /** Makes it need less memory, for more time, if it can. */
  fit?(bytes: number): void
  run(): void
}

/** Tokens of a piece for each thread, at least: enough rows for the products, few enough for cache and memory. */
const TOKENS = 128

/**
 * Builds and runs a graph for each piece, the first sequences first. A piece that does not fit the memory is halved; of a
 * single sequence that does not fit, activations are computed again on the way back.
 *
 * @param build - the graph of the sequences `from` .. `to`
 */
export function inPieces(batch: TokenBatch, { arena, team }: Engine, build: (from: number, to: number) => Piece): void {
  checkBatch(batch)
  const pieces = cut(batch, TOKENS * (team?.threads ?? 1))
  while (pieces.length > 0) {
    const [from, to] = pieces.shift()!
    const piece = build(from, to)
    if (to - from > 1 && piece.bytes() > arena.left) {
      const half = (from + to) >> 1
      pieces.unshift([from, half], [half, to])
    } else {
      if (piece.bytes() > arena.left) piece.fit?.(arena.left)
      piece.run()
    }
  }
}

/** Runs of sequences of `tokens` tokens at least, but for the last: [from, to) of each. */
function cut({ offsets, count }: TokenBatch, tokens: number): [number, number][] {
  const ranges: [number, number][] = []
  for (let from = 0, to = 1; to <= count; to++) {
    if (to < count && offsets[to] - offsets[from] < tokens) continue
    ranges.push([from, to])
    from = to
  }
  return ranges
}
