/**
 * Near-duplicate texts, found exactly. Campaigns, forwarded jokes and quoted replies come many times with a few words
 * changed; one of them in training and another in the test set makes a model look better than it is.
 *
 * A text is the set of its shingles: runs of three words, lower-cased, digits as one sign. Two texts are
 * near-duplicates where their sets have a Jaccard index of at least 1/2, or where at least 4/5 of the smaller one lies
 * in the larger.
 *
 * No pair is missed and none is compared in vain: two sets that share a fraction c of the smaller share at least one of
 * its rarest (1 - c)|S| + 1 members (prefix filtering: Chaudhuri, Ganti and Kaushik, ICDE 2006), so candidates come
 * from an index of rare shingles and each is then counted. Shingles are held as 53-bit hashes.
 * @module
 */

const WORDS_A_SHINGLE = 3

/** Both rules imply that the smaller set A shares two thirds with the larger B: J >= 1/2 gives |A and B| >= 2/3 |A|. */
const CANDIDATE_SHARE = 2 / 3

/** The set of a text's shingles, as sorted distinct hashes; at least one. */
export function shingles(text: string): Float64Array {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\p{Nd}+/gu, '0')
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [text.trim()]
  const set = new Set<number>()
  const count = Math.max(1, words.length - WORDS_A_SHINGLE + 1)
  for (let i = 0; i < count; i++) set.add(hash53(words.slice(i, i + WORDS_A_SHINGLE).join(' ')))
  return Float64Array.from(set).sort()
}

/** Whether two texts are near-duplicates, from their shingles. Symmetric. */
export function nearDuplicates(a: Float64Array, b: Float64Array): boolean {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) shared++
    const step = a[i] - b[j]
    if (step <= 0) i++
    if (step >= 0) j++
  }
  return isNear(shared, a.length, b.length)
}

/** In integers: 2 |A and B| >= |A or B|, or 5 |A and B| >= 4 min(|A|, |B|). */
function isNear(shared: number, a: number, b: number): boolean {
  return 2 * shared >= a + b - shared || 5 * shared >= 4 * Math.min(a, b)
}

/**
 * All near-duplicate pairs between two lists of texts.
 *
 * @param left Shingles of each text of the one list.
 * @param right Shingles of each text of the other; the same array as `left` for pairs within one list.
 * @returns Pairs [index in left, index in right], in no special order; within one list the first is the smaller.
 */
export function nearDuplicatePairs(left: readonly Float64Array[], right: readonly Float64Array[]): [number, number][] {
  const within = left === right
  const frequency = new Map<number, number>()
  for (const set of within ? left : [...left, ...right])
    for (const hash of set) frequency.set(hash, (frequency.get(hash) ?? 0) + 1)
  const pairs: [number, number][] = []
  const seen = new Set<string>()
  const add = (i: number, j: number): void => {
    const [a, b] = within && i > j ? [j, i] : [i, j]
    const key = `${a},${b}`
    if ((within && a === b) || seen.has(key)) return
    seen.add(key)
    if (nearDuplicates(left[a], right[b])) pairs.push([a, b])
  }
  // Whichever text of a pair is the smaller, its rare shingles are looked up in the other list's full index.
  lookUp(left, right, frequency, add)
  if (!within) lookUp(right, left, frequency, (j, i) => add(i, j))
  return pairs
}

function lookUp(
  small: readonly Float64Array[], large: readonly Float64Array[],
  frequency: ReadonlyMap<number, number>, add: (small: number, large: number) => void,
): void {
  const prefixes = small.map(set => {
    const length = set.length - Math.ceil(CANDIDATE_SHARE * set.length - 1e-9) + 1
    return [...set]
      .sort((a, b) => (frequency.get(a) as number) - (frequency.get(b) as number) || a - b)
      .slice(0, length)
  })
  const wanted = new Set(prefixes.flat())
  const index = new Map<number, number[]>()
  large.forEach((set, j) => {
    for (const hash of set) {
      if (!wanted.has(hash)) continue
      const list = index.get(hash)
      if (list === undefined) index.set(hash, [j])
      else list.push(j)
    }
  })
  prefixes.forEach((prefix, i) => {
    for (const hash of prefix) {
      for (const j of index.get(hash) ?? []) if (large[j].length >= small[i].length) add(i, j)
    }
  })
}

/** 53 bits of a text: two multiplicative hashes with different constants, mixed. Not for secrets. */
function hash53(text: string): number {
  let high = 0x9e3779b9
  let low = 0x243f6a88
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x85ebca6b)
    high ^= high >>> 15
    low = Math.imul(low ^ unit, 0xc2b2ae35)
    low ^= low >>> 13
  }
  high = Math.imul(high ^ low >>> 16, 0x21f0aaad)
  low = Math.imul(low ^ high >>> 15, 0x735a2d97)
  return (high >>> 11) * 4294967296 + (low >>> 0)
}
