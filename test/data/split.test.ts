import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nearDuplicatePairs, nearDuplicates, shingles } from '../../src/data/near-duplicates.ts'
import { holdOut } from '../../src/data/split.ts'
import type { SplitItem } from '../../src/data/split.ts'
import { rng } from '../support/rng.ts'

/** Texts of which many are edits of each other, as campaigns are. */
function texts(count: number, seed: number): string[] {
  const random = rng(seed)
  const word = (): string => `w${random.int(0, 400)}`
  const out: string[] = []
  while (out.length < count) {
    if (out.length > 0 && random.uniform() < 0.5) {
      const words = out[random.int(0, out.length - 1)].split(' ')
      for (let n = random.int(0, Math.ceil(words.length / 8)); n > 0; n--)
        words[random.int(0, words.length - 1)] = word()
      if (random.uniform() < 0.3) words.splice(0, 0, ...Array.from({ length: random.int(0, 60) }, word))
      if (random.uniform() < 0.2) words.splice(random.int(1, words.length))
      out.push(words.join(' '))
    } else {
      out.push(Array.from({ length: random.int(1, 60) }, word).join(' '))
    }
  }
  return out
}

/** The definition, on sets of strings. */
function near(a: string, b: string): boolean {
  const set = (text: string): Set<string> => {
    const words = text.toLowerCase().split(' ')
    return new Set(
      Array.from({ length: Math.max(1, words.length - 2) }, (_, i) =>
        words
          .slice(i, i + 3)
          .join(' ')
          .replace(/\d+/g, '0'),
      ),
    )
  }
  const [x, y] = [set(a), set(b)]
  const shared = [...x].filter(s => y.has(s)).length
  return shared / (x.size + y.size - shared) >= 0.5 || shared / Math.min(x.size, y.size) >= 0.8
}

/** Words whose digits matter are spelled with letters, so that the definition and the code see the same words. */
const spelled = (text: string): string => text.replace(/\d/g, digit => 'abcdefghij'[Number(digit)])

test('near-duplicate pairs are exactly those of the definition: 400 texts against all 79,800 pairs', () => {
  const list = texts(400, 3).map(spelled)
  const sets = list.map(shingles)
  const expected: string[] = []
  for (let i = 0; i < list.length; i++)
    for (let j = i + 1; j < list.length; j++) if (near(list[i], list[j])) expected.push(`${i},${j}`)
  const got = nearDuplicatePairs(sets, sets).map(pair => pair.join())
  assert.ok(expected.length > 100, `${expected.length} pairs`)
  assert.equal(got.sort(), expected.sort())
  const left = sets.slice(0, 200)
  const right = sets.slice(200)
  const across = nearDuplicatePairs(left, right).map(([i, j]) => `${i},${j + 200}`)
  assert.equal(
    across.sort(),
    expected.filter(pair => Number(pair.split(',')[0]) < 200 && Number(pair.split(',')[1]) >= 200),
  )
})

test('case, digits, punctuation and width of letters do not hide a duplicate; other words do', () => {
  const base = 'Dear friend, you have WON $1,000,000 in the lottery of 12 May! Reply now to claim your prize money.'
  const same =
    'dear FRIEND you have won $9,500,000 in the \uff4cottery of 3 may -- reply now, to claim your prize money'
  assert.ok(nearDuplicates(shingles(base), shingles(same)))
  assert.not(
    nearDuplicates(
      shingles(base),
      shingles('The meeting of the lottery board is on 12 May, reply to claim a seat now.'),
    ),
  )
  for (const text of ['', '!!!', '\u4f60\u597d', 'one', 'one two']) assert.is(shingles(text).length, 1, text)
  assert.not(nearDuplicates(shingles('one'), shingles('two')))
})

function corpus(seed: number): SplitItem[] {
  const random = rng(seed)
  return texts(800, seed).map((text, i) => ({
    text: spelled(text),
    label: random.uniform() < 0.3 ? 'spam' : 'ham',
    group: `g${random.int(0, 120)}`,
    time: i % 17 === 0 ? undefined : random.int(0, 1e6),
  }))
}

test('no near-duplicate of a test text is in training, checked pair by pair; no group is on both sides', () => {
  for (const by of ['group', 'time'] as const) {
    const items = corpus(8)
    const { train, test: held, report } = holdOut(items, { by, fraction: 0.2, seed: 1 })
    const trainSets = train.map(item => shingles(item.text))
    const heldSets = held.map(item => shingles(item.text))
    for (const a of heldSets) for (const b of trainSets) assert.not(nearDuplicates(a, b))
    heldSets.forEach((a, i) => heldSets.forEach((b, j) => { if (i < j) assert.not(nearDuplicates(a, b)) }))
    const removed = report.exactDuplicates + report.nearDuplicatesOfTest + report.nearDuplicatesWithinTest
    assert.is(train.length + held.length + removed, items.length, 'every text is accounted for')
    assert.ok(report.nearDuplicatesOfTest > 10, 'the check has something to find')
    if (by === 'group') {
      const groups = new Set(held.map(item => item.group))
      assert.not(train.some(item => groups.has(item.group)))
    } else {
      for (const label of ['ham', 'spam']) {
        const first = Math.min(...held.filter(item => item.label === label).map(item => item.time as number))
        assert.ok(train.every(item => item.label !== label || item.time === undefined || item.time <= first))
      }
    }
  }
})

test('each label has its share in the test set before duplicates go: within 5 % of the texts', () => {
  const random = rng(4)
  const items = Array.from({ length: 1000 }, (_, i) => ({
    text: Array.from({ length: 12 }, () => `x${spelled(String(random.u32()))}`).join(' '),
    label: i % 4 ? 'ham' : 'spam',
    group: `g${i >> 3}`,
    time: i,
  }))
  for (const by of ['group', 'time'] as const) {
    const { test: held } = holdOut(items, { by, fraction: 0.25, seed: 'public' })
    const ham = held.filter(item => item.label === 'ham').length
    assert.ok(Math.abs(ham - 187.5) < 37.5, `${by}: ham ${ham}`)
    assert.ok(Math.abs(held.length - ham - 62.5) < 12.5, `${by}: spam ${held.length - ham}`)
  }
})

test('the split depends on the seed and the items alone', () => {
  const items = corpus(2)
  const ids = (seed: number): string =>
    holdOut(items, { by: 'group', fraction: 0.2, seed })
      .test.map(item => item.text)
      .sort()
      .join('\n')
  assert.is(ids(1), ids(1))
  assert.is.not(ids(1), ids(2))
})

test('a split without a side, or with wrong options, is refused', () => {
  const items = corpus(6)
  assert.throws(
    () => holdOut(items, { by: 'group', fraction: 0, seed: 1 }),
    /"fraction" expected a share that leaves texts on both sides, got 0/,
  )
  assert.throws(() => holdOut([], { by: 'group', fraction: 0.5, seed: 1 }), /leaves texts on both sides/)
  assert.throws(() => holdOut(items, { by: 'size' as never, fraction: 0.5, seed: 1 }), /"by" expected one of/)
  assert.throws(
    () => holdOut(items, { by: 'time', fraction: 2, seed: 1 }),
    /"fraction" expected a finite number from 0 to 1/,
  )
})

test.run()
