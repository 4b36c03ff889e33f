/**
 * Mail brought to people. The corpus is what a handful of people received and gave away, so its recipients are too few
 * to be clients (nine tenths of the mail went to one man); its senders are many. Hence:
 *
 * - Ham is divided by sender. A sender with at least four mails is a person of their own; those with fewer are put
 *   together with others who write on the same list, until four mails are reached. No sender is in two mailboxes. So
 *   mailboxes differ in topic, style, length and size as people's mail does.
 * - Spam is divided by its sender too, each sender whole. Which mailbox a spammer reached is drawn from a public seed,
 *   since the corpus does not know: spam that came through a list goes to a mailbox of that list, other spam to any;
 *   each gets one sender first, then some get many and some get few.
 *
 * What is real: every text, its label, who wrote it, the list it came through. What is not: that the mails of a mailbox
 * had one reader, and which spam lies beside which ham.
 * @module
 */
import type { Client } from '../../src/data/example.ts'
import { random } from '../../src/random.ts'

/** A mail with what mailboxes are made by. */
export interface FiledMail {
  readonly text: string
  readonly label: 'ham' | 'spam'
  readonly sender: string
  readonly folder: string
}

const LEAST_HAM = 4

interface Mailbox {
  readonly folder: string
  readonly senders: string[]
  readonly mails: FiledMail[]
  /** How much spam it attracts. */
  weight: number
}

/**
 * Divides mails into mailboxes, each with ham and spam. The same mails and seed give the same mailboxes.
 *
 * @returns Clients named for their first sender, sorted by name.
 */
export function mailboxes(mails: readonly FiledMail[], seed: string): Client[] {
  const boxes = hamBoxes(mails.filter(({ label }) => label === 'ham'), seed)
  const lottery = random(seed, 'spam')
  // From 1/1.05 to 20, most of them small: a few people get most of the spam.
  for (const box of boxes) box.weight = 1 / (0.05 + lottery.uniform())
  const spam = [...groupBy(mails.filter(({ label }) => label === 'spam'), ({ sender }) => sender)]
  const waiting = lottery.shuffle([...boxes])
  for (const [sender, letters] of lottery.shuffle(spam.sort(byKey))) {
    const local = waiting.length > 0 ? [] : boxes.filter(({ folder }) => folder === letters[0].folder)
    const box = waiting.pop() ?? draw(local.length > 0 ? local : boxes, lottery.uniform())
    box.senders.push(sender)
    box.mails.push(...letters)
  }
  const clients = boxes.map(({ senders, mails }) =>
    Object.freeze({ id: senders[0], examples: mails.map(({ text, label }) => ({ text, label })) }))
  return clients.sort((a, b) => a.id < b.id ? -1 : 1)
}

function hamBoxes(ham: readonly FiledMail[], seed: string): Mailbox[] {
  const boxes: Mailbox[] = []
  const few: [string, FiledMail[]][] = []
  for (const [sender, letters] of [...groupBy(ham, ({ sender }) => sender)].sort(byKey)) {
    if (letters.length < LEAST_HAM) few.push([sender, letters])
    else boxes.push({ folder: letters[0].folder, senders: [sender], mails: [...letters], weight: 1 })
  }
  // In the order of folders, people of one list come next to each other; within a list the order is drawn.
  random(seed, 'few').shuffle(few)
  few.sort(([, a], [, b]) => a[0].folder < b[0].folder ? -1 : a[0].folder > b[0].folder ? 1 : 0)
  let box: Mailbox | undefined
  for (const [sender, letters] of few) {
    if (box === undefined || box.mails.length >= LEAST_HAM)
      boxes.push((box = { folder: letters[0].folder, senders: [], mails: [], weight: 1 }))
    box.senders.push(sender)
    box.mails.push(...letters)
  }
  // The last may have remained short: its people join the one before.
  const before = boxes[boxes.length - 2]
  if (box !== undefined && box.mails.length < LEAST_HAM && before !== undefined) {
    boxes.pop()
    before.senders.push(...box.senders)
    before.mails.push(...box.mails)
  }
  return boxes
}

/** One of the boxes, likelier the larger its weight. */
function draw(boxes: readonly Mailbox[], uniform: number): Mailbox {
  let rest = uniform * boxes.reduce((sum, { weight }) => sum + weight, 0)
  for (const box of boxes) {
    rest -= box.weight
    if (rest < 0) return box
  }
  return boxes[boxes.length - 1]
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
