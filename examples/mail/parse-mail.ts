/**
 * A raw mail (RFC 5322, MIME) as a person sees it: from whom, when it came in, subject and words.
 * @module
 */
import PostalMime from 'postal-mime'
import { htmlText } from './html-text.ts'

/** A mail. */
export interface Mail {
  /** Address of the sender in lower case, or '' where the mail names none. */
  readonly from: string
  /** The sender's display name, or ''. */
  readonly fromName: string
  /** The mailing list or folder that it came through: the name in List-Id, or the address it was sent to, or ''. */
  readonly folder: string
  /** When the last server took it in, in milliseconds; undefined where no Received header says so. */
  readonly time: number | undefined
  readonly subject: string
  /** Plain text; of a mail that is HTML alone, its words. Quoted lines of earlier mails are left out. */
  readonly body: string
}

/**
 * Parses a mail. Damaged mail gives what can be read of it, never an error.
 *
 * @param raw The mail as it lies in an mbox, its `From ` line included or not.
 */
export async function parseMail(raw: string): Promise<Mail> {
  const mail = await PostalMime.parse(toBytes(raw.replace(/^From [^\n]*\n/, '')))
  const header = (name: string): string | undefined => mail.headers.find(({ key }) => key === name)?.value
  const html = mail.html === undefined ? '' : htmlText(mail.html)
  const plain = (mail.text ?? '').trim()
  // Some mailers put one line of text beside the HTML ("your reader shows no HTML"): then the HTML is the mail.
  const body = plain.length * 10 < html.length ? html : plain
  return Object.freeze({
    from: mail.from?.address?.trim().toLowerCase() ?? '',
    fromName: mail.from?.name?.trim() ?? '',
    folder: /<([^<>]+)>/.exec(header('list-id') ?? '')?.[1].toLowerCase() ?? mail.to?.[0]?.address?.toLowerCase() ?? '',
    time: receivedTime(header('received')),
    subject: (mail.subject ?? '').trim(),
    body: withoutQuotes(body),
  })
}

/** One byte a character, as the mail was on the wire; what was lost when it was made a string is a question mark. */
function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, character => {
    const code = character.charCodeAt(0)
    return code < 256 ? code : 0x3f
  })
}

/** The date after the last semicolon of the newest Received header; senders forge Date, not this. */
function receivedTime(received: string | undefined): number | undefined {
  const date = received?.slice(received.lastIndexOf(';') + 1).replace(/\([^)]*\)/g, '').trim()
  const time = date === undefined ? NaN : Date.parse(date)
  return Number.isNaN(time) ? undefined : time
}

/** Drops lines that repeat an earlier mail: they are another person's words. */
function withoutQuotes(body: string): string {
  return body
    .split(/\r?\n/)
    .filter(line => !/^\s{0,3}([>|]|[A-Za-z]{1,3}>)/.test(line))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
