import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memorySource } from '../../src/checkpoint/source.ts'
import { describeClients } from '../../src/data/describe.ts'
import { groupByClient } from '../../src/data/example.ts'
import { parseRecords, readRecords } from '../../src/data/records.ts'
import type { RecordOptions } from '../../src/data/records.ts'
import { FormatError } from '../../src/errors.ts'
import { rejects } from '../support/rejects.ts'
import { rng } from '../support/rng.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (name: string, text: string, options?: RecordOptions) => parseRecords(encode(text), name, options)
const fails = (name: string, text: string, pattern: RegExp, options?: RecordOptions): void => {
  assert.throws(() => parse(name, text, options), (error: Error) => {
    assert.match(error.message, pattern)
    return true
  })
}

const ROWS = [
  { client: 'ann', text: 'hello, "world"\nsecond line', label: 'ham' },
  { client: '7', text: 'win\u00e9 \ud83d\ude00', label: 'spam' },
  { client: 'ann', text: ' spaces kept ', label: 'spam' },
]
const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`

test('JSONL, CSV and TSV of the same rows give the same records, with the lines they start on', () => {
  const jsonl = parse('a.jsonl', `${ROWS.map(row => JSON.stringify({ ...row, more: 1 })).join('\r\n')}\n\n`)
  const csv = parse(
    'a.csv',
    ['label,extra,client,text', ...ROWS.map(r => [r.label, 'x', r.client, quote(r.text)].join(','))].join('\n'),
  )
  const plain = (records: readonly object[]): object[] => records.map(({ line: _, ...rest }: any) => rest)
  assert.equal(plain(jsonl.records), ROWS)
  assert.equal(plain(csv.records), ROWS)
  assert.equal(jsonl.records.map(r => r.line), [1, 2, 3])
  assert.equal(csv.records.map(r => r.line), [2, 4, 5], 'the first text spans two lines')
  assert.equal(jsonl.labels, ['ham', 'spam'])
  const tsv = parse('a.tsv', 'client\ttext\tlabel\r\nann\tan "odd quote\tham\r\nbob\tb\tspam\r\n')
  assert.equal(plain(tsv.records), [
    { client: 'ann', text: 'an "odd quote', label: 'ham' },
    { client: 'bob', text: 'b', label: 'spam' },
  ])
})

test('columns may have other names; numbers and booleans are labels and clients; a byte order mark is skipped', () => {
  const { records, labels } = parse(
    'x.ndjson',
    '\ufeff{"user":7,"body":"a","class":true}\n{"user":"7","body":"b","class":false}\n',
    { columns: { client: 'user', text: 'body', label: 'class' } },
  )
  assert.equal(records, [
    { client: '7', text: 'a', label: 'true', line: 1 },
    { client: '7', text: 'b', label: 'false', line: 2 },
  ])
  assert.equal(labels, ['false', 'true'])
  assert.equal(
    parse('x.csv', 'client,text,label\na,b,no\na,c,yes', { labels: ['yes', 'no'] }).labels,
    ['yes', 'no'],
    'the order given is kept',
  )
})

test('every bad row is told with its line and what to do; the first ten are shown', () => {
  const good = { client: 'a', text: 't', label: 'x' }
  const lines = [
    [
      { ...good, client: '' },
      /line 1: "client" expected a name or number of whose text it is, got ""; give every row its client/,
    ],
    [{ ...good, client: '  ' }, /"client" expected/],
    [{ ...good, client: null }, /"client" expected .* got null/],
    [{ text: 't', label: 'x' }, /"client" expected .* got none/],
    [{ ...good, text: '' }, /"text" expected a text that is not empty, got ""; remove the row/],
    [{ ...good, text: ' \n\t' }, /"text" expected a text that is not empty/],
    [{ ...good, text: 5 }, /"text" expected a text that is not empty, got 5/],
    [
      { ...good, text: 'x'.repeat(101) },
      /"text" expected at most 100 characters, got 101; shorten the text, or raise "maxCharacters"/,
    ],
    [{ ...good, label: '' }, /"label" expected a label, got ""; label the row, or remove it/],
    [{ ...good, label: {} }, /"label" expected a label, got Object/],
    [
      { ...good, label: 'z' },
      /"label" expected one of "x", "y", got "z"; correct the row, or add the label to "labels"/,
    ],
    [[1], /expected a JSON object, got \[1\]; write one object a line/],
    ['text', /expected a JSON object, got "text"/],
  ] as const
  const options = { labels: ['x', 'y'], maxCharacters: 100 }
  for (const [row, pattern] of lines) fails('f.jsonl', JSON.stringify(row), pattern, options)
  fails('f.jsonl', '{"client":"a"', /line 1: expected a JSON object, got text that is not JSON/)
  const all = [JSON.stringify(good), ...lines.map(([row]) => JSON.stringify(row))].join('\n')
  fails(
    'f.jsonl',
    all,
    /"f.jsonl" expected every row .*, got 13 bad of 14 rows:\n {2}line 2: [^]*line 11: [^]*and 3 more$/,
    options,
  )
})

test('a table that does not hold together is refused', () => {
  fails('f.csv', '', /expected a header that names the columns, got an empty file/)
  fails(
    'f.csv',
    'client,text\na,b',
    /line 1: expected a column "label" for the label, got "client", "text"; name the columns in the header/,
  )
  fails('f.csv', 'client,text,client\na,b,c', /expected each column once, got "client" again/)
  fails(
    'f.csv',
    'client,text,label\na,b\n',
    /line 2: expected 3 fields as in the header, got 2; put a field that holds commas/,
  )
  fails('f.csv', 'client,text,label\na,b,c,d\n', /line 2: expected 3 fields as in the header, got 4/)
  fails('f.csv', 'client,text,label\n"x\ny",b,c\na,"b,c\n', /line 4: expected balanced quotes/)
  fails('f.tsv', 'client\ttext\tlabel\na\tb\tc\td', /line 2: expected 3 fields .* got 4; remove tabs/)
  fails('f.csv', 'client,text,label\n', /expected at least one record, got none/)
  fails('f.jsonl', '\n\n', /expected at least one record, got none/)
  fails('f.csv', 'client,text,label\na,b,c\n', /"labels of f.csv" expected at least two labels, got \["c"\]/)
  assert.throws(
    () => parseRecords(Uint8Array.of(123, 125, 10, 0xff, 10), 'f.jsonl'),
    /"f.jsonl" line 2: expected UTF-8 text, got other bytes; save/,
  )
})

test('wrong options are refused', async () => {
  fails('f.txt', '', /expected a name that ends in .jsonl, .csv or .tsv, got "f.txt"; or give "format"/)
  fails('f.csv', '', /unknown option "label"/, { label: [] } as never)
  fails('f.csv', '', /unknown option "texts"/, { columns: { texts: 'x' } } as never)
  fails('f.csv', '', /"labels" expected at least two labels/, { labels: ['a'] })
  fails('f.csv', '', /"labels" expected each label once/, { labels: ['a', 'a'] })
  fails('f.csv', '', /"labels" expected an array of strings/, { labels: ['a', 3] } as never)
  fails('f.csv', '', /"maxCharacters" expected an integer >= 1/, { maxCharacters: 0 })
  fails('f.csv', '', /"format" expected one of/, { format: 'xml' } as never)
  await rejects(
    readRecords(memorySource({}), 'f.csv'),
    /file expected "f.csv" \(records of client, text and label\), got none/,
  )
})

test('names of object internals are columns like any other', () => {
  const { records } = parse(
    'f.jsonl',
    '{"__proto__":"p","text":"a","label":"x"}\n{"__proto__":"q","text":"b","label":"__proto__"}',
    { columns: { client: '__proto__' } },
  )
  assert.equal(records.map(r => r.client), ['p', 'q'])
  fails('f.jsonl', '{"text":"a","label":"x"}', /"constructor" expected a name/, { columns: { client: 'constructor' } })
})

test('clients are sorted, keep the order of their texts, and are counted', () => {
  const clients = groupByClient([
    { client: 'b', text: '1', label: 'x', line: 1 }, { client: 'a', text: '2', label: 'x', line: 2 },
    { client: 'b', text: '3', label: 'y', line: 3 }, { client: '__proto__', text: '4', label: 'y', line: 4 },
  ])
  assert.equal(
    clients.map(({ id, examples }) => [id, examples.map(e => e.text)]),
    [
      ['__proto__', ['4']],
      ['a', ['2']],
      ['b', ['1', '3']],
    ],
  )
  assert.equal(describeClients(clients), {
    clients: 3,
    examples: 4,
    examplesPerClient: [1, 1, 1, 1, 2],
    labelShares: { x: 0.5, y: 0.5 },
    clientsWithAllLabels: 1,
  })
})

test('4,000 damaged files: each gives records or a FormatError (or too few labels)', () => {
  const random = rng(5)
  const bases = [
    'client,text,label\na,"b, c",x\nd,e,y\n',
    'client\ttext\tlabel\na\tb\tx\nc\td\ty\n',
    '{"client":"a","text":"b","label":"x"}\n{"client":"c","text":"d","label":"y"}\n',
  ].map(encode)
  const names = ['f.csv', 'f.tsv', 'f.jsonl']
  let accepted = 0
  for (let round = 0; round < 4000; round++) {
    const kind = round % 3
    const bytes = bases[kind].slice(0, random.uniform() < 0.2 ? random.int(0, bases[kind].length) : undefined)
    for (let n = random.int(1, 3); n > 0 && bytes.length > 0; n--) {
      bytes[random.int(0, bytes.length - 1)] =
        random.uniform() < 0.5 ? random.int(0, 255) : encode('",\n\t{}\r')[random.int(0, 6)]
    }
    try {
      const { records } = parseRecords(bytes, names[kind])
      for (const { client, text, label } of records) assert.ok(client.trim() && text.trim() && label.trim())
      accepted++
    } catch (error) {
      if (!(error instanceof FormatError) && !/at least two labels/.test((error as Error).message)) throw error
    }
  }
  assert.ok(accepted > 100 && accepted < 3800, `both outcomes are exercised: ${accepted}`)
})

test.run()
