/**
 * The SpamAssassin corpus as a federated task: mailboxes to train on, and a test set of other people's mail.
 * @module
 */
import { describeClients } from '../../src/data/describe.ts'
import type { PopulationReport } from '../../src/data/describe.ts'
import type { Client, Example } from '../../src/data/example.ts'
import { holdOut } from '../../src/data/split.ts'
import type { SplitReport } from '../../src/data/split.ts'
import { mailboxes } from './mailboxes.ts'
import type { FiledMail } from './mailboxes.ts'
import { parseMail } from './parse-mail.ts'
import type { Mail } from './parse-mail.ts'

/** A mail of the corpus: the text as it lies on disk, and the folder that says what it is. */
export interface RawMail {
  /** `easy-ham-1`, `easy-ham-2`, `hard-ham-1`, `spam-1` or `spam-2`. */
  readonly group: string
  readonly text: string
}

/** What the demo trains on. */
export interface MailTask {
  readonly labels: readonly ['ham', 'spam']
  readonly clients: readonly Client[]
  readonly test: readonly Example[]
  readonly report: MailReport
}

/** How it came about. */
export interface MailReport extends PopulationReport, SplitReport {
  /** Mails in the corpus. */
  readonly mails: number
  /** Mails without a readable word. */
  readonly empty: number
  /** Mails of the test set. */
  readonly test: number
  /** Share of spam in the test set. */
  readonly testSpam: number
  readonly heldOutBy: 'sender' | 'time'
}

/** How to divide. */
export interface MailOptions {
  /** What the test set is: mail of senders that training never saw (default), or the latest mail. */
  readonly heldOutBy?: 'sender' | 'time'
  /** Share of the mails of each label that is held out; default 0.2. */
  readonly fraction?: number
  /** Public seed; default `spam-assassin`. */
  readonly seed?: string
}

/** Longer mails are cut here: a model reads the first few hundred words. */
const MAX_CHARACTERS = 8000

/** An address that writes under this many names is a machine that speaks for several (a news feed, a list). */
const NAMES_OF_A_MACHINE = 4

/**
 * Parses the corpus, holds a test set out, removes near-duplicates across the two, and fills mailboxes.
 *
 * The same mails in the same order and the same options give the same result.
 */
export async function loadSpamAssassin(raw: readonly RawMail[], options: MailOptions = {}): Promise<MailTask> {
  const { heldOutBy = 'sender', fraction = 0.2, seed = 'spam-assassin' } = options
  const mails: { mail: Mail, text: string, label: 'ham' | 'spam' }[] = []
  for (const { group, text } of raw) {
    const mail = await parseMail(text)
    const words = `${mail.subject}\n${mail.body}`.trim().slice(0, MAX_CHARACTERS)
    if (/[\p{L}\p{N}]/u.test(words)) mails.push({ mail, text: words, label: group.startsWith('spam') ? 'spam' : 'ham' })
  }
  const senderOf = senders(mails.map(({ mail }) => mail))
  const items = mails.map(({ mail, text, label }) => {
    const sender = senderOf(mail)
    return { text, label, sender, group: sender, folder: mail.folder, time: mail.time }
  })
  const split = holdOut(items, { by: heldOutBy === 'sender' ? 'group' : 'time', fraction, seed })
  const clients = mailboxes(split.train satisfies readonly FiledMail[], seed)
  const test = split.test.map(({ text, label }) => Object.freeze({ text, label }))
  return Object.freeze({
    labels: ['ham', 'spam'] as const,
    clients,
    test,
    report: Object.freeze({
      ...describeClients(clients), ...split.report,
      mails: raw.length, empty: raw.length - mails.length, heldOutBy,
      test: test.length, testSpam: test.filter(({ label }) => label === 'spam').length / test.length,
    }),
  })
}

function senders(mails: readonly Mail[]): (mail: Mail) => string {
  const names = new Map<string, Set<string>>()
  for (const { from, fromName } of mails) names.set(from, (names.get(from) ?? new Set()).add(fromName))
  return ({ from, fromName }) =>
    (names.get(from) as Set<string>).size >= NAMES_OF_A_MACHINE ? `${fromName} <${from}>` : from
}
