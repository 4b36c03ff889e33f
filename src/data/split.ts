/**
 * A held-out test set that training has seen nothing of: whole groups (senders, people) or the latest texts, and no
 * near-duplicate on the other side.
 * @module
 */
import { aNumber, oneOf } from '../assert.ts'
import { random } from '../random.ts'
import type { Example } from './example.ts'
import { nearDuplicatePairs, shingles } from './near-duplicates.ts'

/** An example with what a split can go by. */
export interface SplitItem extends Example {
  /** Who wrote it (or whose it is): a group is never on both sides of a split by group. */
  readonly group: string
  /** When it was written or came in, in milliseconds; undefined where that is not known. */
  readonly time?: number | undefined
}

/** How to split. */
export interface SplitOptions {
  /** `group`: the test set is of groups that training never saw. `time`: it is the latest texts of each label. */
  readonly by: 'group' | 'time'
  /** Share of the examples of each label that go to the test set, in (0, 1). */
  readonly fraction: number
  /** Public seed of the choice of groups; a split by time draws nothing. */
  readonly seed: number | string
}

/** A split. */
export interface Split<T extends SplitItem> {
  readonly train: readonly T[]
  readonly test: readonly T[]
  readonly report: SplitReport
}

/** What was left out, and why. */
export interface SplitReport {
  /** Texts whose shingles are those of an earlier one: only the first is kept. */
  readonly exactDuplicates: number
  /** Texts of the test set that were near-duplicates of an earlier one in it. */
  readonly nearDuplicatesWithinTest: number
  /** Texts that would have been trained on but are near-duplicates of a test text. */
  readonly nearDuplicatesOfTest: number
}

/**
 * Splits examples. The result depends on the items and the seed alone, not on the order of the items of other groups.
 *
 * @throws RangeError where a side would be empty.
 */
export function holdOut<T extends SplitItem>(items: readonly T[], options: SplitOptions): Split<T> {
  const by = oneOf('by', options.by, ['group', 'time'])
  const fraction = aNumber('fraction', options.fraction, 0, 1)
  const sets = new Map<T, Float64Array>()
  const distinct: T[] = []
  const seen = new Set<string>()
  for (const item of items) {
    const set = shingles(item.text)
    const key = set.join()
    if (seen.has(key)) continue
    seen.add(key)
    sets.set(item, set)
    distinct.push(item)
  }
  const held = by === 'group' ? byGroup(distinct, fraction, options.seed) : byTime(distinct, fraction)
  const setsOf = (list: readonly T[]): Float64Array[] => list.map(item => sets.get(item) as Float64Array)

  const heldItems = distinct.filter(item => held.has(item))
  const heldSets = setsOf(heldItems)
  const repeated = keepFirst(heldItems.length, nearDuplicatePairs(heldSets, heldSets))
  const test = heldItems.filter((_, i) => !repeated.has(i))

  const others = distinct.filter(item => !held.has(item))
  const leaked = new Set(nearDuplicatePairs(setsOf(others), heldSets).map(([i]) => i))
  const train = others.filter((_, i) => !leaked.has(i))
  if (train.length === 0 || test.length === 0) {
    throw new RangeError(
      `"fraction" expected a share that leaves texts on both sides, got ${fraction}: ${train.length} for training, ` +
      `${test.length} for the test; give more data, or another share`,
    )
  }
  const report = {
    exactDuplicates: items.length - distinct.length,
    nearDuplicatesWithinTest: repeated.size,
    nearDuplicatesOfTest: leaked.size,
  }
  return Object.freeze({ train: Object.freeze(train), test: Object.freeze(test), report: Object.freeze(report) })
}

/** Whole groups, in a public random order, until each label has its share. A group counts under its commonest label. */
function byGroup<T extends SplitItem>(items: readonly T[], fraction: number, seed: number | string): Set<T> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(item.group)
    if (group === undefined) groups.set(item.group, [item])
    else group.push(item)
  }
  const order = random(seed, 'hold out groups').shuffle([...groups.keys()].sort())
  const left = shares(items, fraction)
  const held = new Set<T>()
  for (const name of order) {
    const group = groups.get(name) as T[]
    const label = commonest(group.map(item => item.label))
    const room = left.get(label) as number
    // A group much larger than what is missing would make the share far too large.
    if (room <= 0 || group.length > 2 * room) continue
    for (const item of group) {
      left.set(item.label, left.get(item.label) as number - 1)
      held.add(item)
    }
  }
  return held
}

/** The latest of each label. Items without a time are never held out; of equal times, the later in the list is. */
function byTime<T extends SplitItem>(items: readonly T[], fraction: number): Set<T> {
  const left = shares(items, fraction)
  const dated = items.map((item, i) => ({ item, i })).filter(({ item }) => item.time !== undefined)
  dated.sort((a, b) => (b.item.time as number) - (a.item.time as number) || b.i - a.i)
  const held = new Set<T>()
  for (const { item } of dated) {
    const room = left.get(item.label) as number
    if (room <= 0) continue
    left.set(item.label, room - 1)
    held.add(item)
  }
  return held
}

function shares(items: readonly SplitItem[], fraction: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { label } of items) counts.set(label, (counts.get(label) ?? 0) + 1)
  return new Map([...counts].map(([label, count]) => [label, Math.round(count * fraction)]))
}

function commonest(labels: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0][0]
}

/** Indices to drop so that of every pair at most one stays: an item goes where an earlier one that stays is near. */
function keepFirst(count: number, pairs: readonly [number, number][]): Set<number> {
  const earlier: number[][] = Array.from({ length: count }, () => [])
  for (const [a, b] of pairs) earlier[b].push(a)
  const dropped = new Set<number>()
  for (let i = 0; i < count; i++) if (earlier[i].some(j => !dropped.has(j))) dropped.add(i)
  return dropped
}
