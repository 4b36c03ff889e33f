/**
 * Sensitivity of binary-tree aggregation without restarts, when a unit may take part several times.
 * @module
 */
import { anInteger } from '../../../assert.ts'

/** A way to place participations in a node: what they add, and how soon after the node the next may come. */
interface Placement {
  readonly value: number
  readonly wait: number
}

/**
 * The largest Σ over complete nodes of (participations below the node)², which is the square of the L2 sensitivity of
 * the released tree in clip norms (Kairouz et al. 2021, Appendix D.3). Nodes that the `rounds` leaves do not fill are
 * never released. Exact, by dynamic programming over nodes, number of participations and earliest allowed leaf.
 * @param rounds - number of leaves
 * @param minSeparation - two participations of a unit are at least this many rounds apart; 1: any rounds
 * @param maxParticipations - of one unit
 */
export function treeSensitivitySquared(rounds: number, minSeparation: number, maxParticipations: number): number {
  anInteger('rounds', rounds, 1, 1 << 24)
  anInteger('minSeparation', minSeparation, 1)
  anInteger('maxParticipations', maxParticipations, 1)
  const memo = new Map<string, readonly Placement[]>()

  const leafCount = (height: number): number => 2 ** height
  const most = (height: number, entry: number): number =>
    entry >= leafCount(height) ? 0 : Math.floor((leafCount(height) - 1 - entry) / minSeparation) + 1

  /** Best placements of exactly `count` in a complete node whose leaves before `entry` are barred. */
  const place = (height: number, count: number, entry: number): readonly Placement[] => {
    const size = leafCount(height)
    if (count === 0) return [{ value: 0, wait: Math.max(0, entry - size) }]
    if (count > most(height, entry)) return []
    // A lone participation counts once at each level; the earliest leaf is never worse.
    if (count === 1) return [{ value: height + 1, wait: Math.max(0, entry + minSeparation - size) }]
    const key = `${height} ${count} ${entry}`
    let best = memo.get(key)
    if (!best) {
      const found: Placement[] = []
      for (let left = Math.min(count, most(height - 1, entry)); left >= 0; left--) {
        for (const first of place(height - 1, left, entry)) {
          for (const second of place(height - 1, count - left, first.wait)) {
            found.push({ value: first.value + second.value + count * count, wait: second.wait })
          }
        }
      }
      best = frontier(found)
      memo.set(key, best)
    }
    return best
  }

  // The complete trees that n leaves make up, from the left: one for each bit of n.
  let states: readonly (Placement & { used: number })[] = [{ value: 0, wait: 0, used: 0 }]
  for (let height = 24; height >= 0; height--) {
    if (Math.floor(rounds / leafCount(height)) % 2 === 0) continue
    const next = new Map<number, Placement[]>()
    for (const state of states) {
      const limit = Math.min(maxParticipations - state.used, most(height, state.wait))
      for (let count = 0; count <= limit; count++) {
        for (const placed of place(height, count, state.wait)) {
          const used = state.used + count
          const list = next.get(used) ?? []
          list.push({ value: state.value + placed.value, wait: placed.wait })
          next.set(used, list)
        }
      }
    }
    states = [...next].flatMap(([used, list]) => frontier(list).map((placement) => ({ ...placement, used })))
  }
  return Math.max(...states.map((state) => state.value))
}

/** Those placements that no other beats in both value and wait. */
function frontier(placements: readonly Placement[]): readonly Placement[] {
  const sorted = [...placements].sort((a, b) => a.wait - b.wait || b.value - a.value)
  const kept: Placement[] = []
  for (const placement of sorted) {
    if (kept.length === 0 || placement.value > kept[kept.length - 1].value) kept.push(placement)
  }
  return kept
}
