/**
 * Files of (client, text, label). Every bad row is found and told with its line and what to do; a file with a bad row
 * is not used.
 * @module
 */
import { anInteger, anOptions, oneOf, show } from '../assert.ts'
import { readFile } from '../checkpoint/source.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { FormatError } from '../errors.ts'
import type { LabelledRecord } from './example.ts'
import { readTable } from './rows.ts'
import type { Row, RowProblem, TableFormat } from './rows.ts'

/** How a file is to be read. */
export interface RecordOptions {
  /** Default: by the name's ending, `.jsonl` (or `.ndjson`), `.csv` or `.tsv`. */
  readonly format?: TableFormat
  /** Names of the three columns; default `client`, `text` and `label`. Other columns are ignored. */
  readonly columns?: { readonly client?: string, readonly text?: string, readonly label?: string }
  /** The labels that may occur, in the order of their class numbers; default: those that occur, sorted. */
  readonly labels?: readonly string[]
  /** Longest text that is accepted, in UTF-16 code units; default 1,000,000. */
  readonly maxCharacters?: number
}

/** Records of a file. */
export interface RecordFile {
  /** In the order of the file; at least one. */
  readonly records: readonly LabelledRecord[]
  /** The classes: as given, or those that occur, sorted. At least two. */
  readonly labels: readonly string[]
}

const DEFAULT_MAX_CHARACTERS = 1_000_000
const SHOWN_PROBLEMS = 10

/**
 * Reads a file of records.
 *
 * @throws FormatError that lists the bad rows (the first ten, and how many there are) with their lines.
 */
export async function readRecords(source: FileSource, name: string, options: RecordOptions = {}): Promise<RecordFile> {
  const bytes = await readFile(source, name, 'records of client, text and label')
  return parseRecords(bytes, name, options)
}

/**
 * Reads records out of bytes in memory. As `readRecords`.
 *
 * @param title What the file is called, for errors and, without `format`, its format.
 */
export function parseRecords(bytes: Uint8Array, title: string, options: RecordOptions = {}): RecordFile {
  anOptions('options', options, ['format', 'columns', 'labels', 'maxCharacters'])
  const { columns = {}, labels, maxCharacters = DEFAULT_MAX_CHARACTERS } = options
  anOptions('columns', columns, ['client', 'text', 'label'])
  anInteger('maxCharacters', maxCharacters, 1)
  if (labels !== undefined) checkLabels(labels, 'labels')
  const format =
    options.format === undefined ? formatOf(title) : oneOf('format', options.format, ['jsonl', 'csv', 'tsv'])
  const names = { client: columns.client ?? 'client', text: columns.text ?? 'text', label: columns.label ?? 'label' }

  const table = readTable(bytes, format, title)
  for (const [role, name] of Object.entries(names)) {
    if (table.columns !== undefined && !table.columns.includes(name)) {
      throw new FormatError(
        `${show(title)} line 1: expected a column ${show(name)} for the ${role}, ` +
          `got ${table.columns.map(show).join(', ')}; ` +
          'name the columns in the header, or say which is which with "columns"',
      )
    }
  }
  const problems = [...table.problems]
  const records: LabelledRecord[] = []
  for (const row of table.rows) {
    const result = toRecord(row, names, labels, maxCharacters)
    if ('message' in result) problems.push(result)
    else records.push(result)
  }
  if (problems.length > 0) throw new FormatError(describe(title, problems, table.rows.length + table.problems.length))
  if (records.length === 0) throw new FormatError(`${show(title)} expected at least one record, got none`)
  const found = labels ?? [...new Set(records.map(record => record.label))].sort()
  checkLabels(found, `labels of ${title}`)
  return Object.freeze({ records: Object.freeze(records), labels: Object.freeze([...found]) })
}

function toRecord(
  { line, fields }: Row,
  names: { readonly client: string, readonly text: string, readonly label: string },
  labels: readonly string[] | undefined,
  maxCharacters: number,
): LabelledRecord | RowProblem {
  const client = asText(fields.get(names.client))
  if (client === undefined) {
    return {
      line,
      message:
        `${show(names.client)} expected a name or number of whose text it is, got ${got(fields.get(names.client))}` +
        '; give every row its client, or remove it',
    }
  }
  const text = fields.get(names.text)
  if (typeof text !== 'string' || text.trim() === '') {
    return { line, message: `${show(names.text)} expected a text that is not empty, got ${got(text)}; remove the row` }
  }
  if (text.length > maxCharacters) {
    return { line, message: `${show(names.text)} expected at most ${maxCharacters} characters, got ${text.length}` +
      '; shorten the text, or raise "maxCharacters"' }
  }
  const label = asText(fields.get(names.label))
  if (label === undefined) {
    return {
      line,
      message: `${show(names.label)} expected a label, got ${got(fields.get(names.label))}; ` +
        'label the row, or remove it',
    }
  }
  if (labels !== undefined && !labels.includes(label)) {
    return { line, message: `${show(names.label)} expected one of ${labels.map(show).join(', ')}, got ${show(label)}` +
      '; correct the row, or add the label to "labels"' }
  }
  return { client, text, label, line }
}

/** Names and labels may be numbers or booleans in JSONL; `7` and `"7"` are the same. Blank is none. */
function asText(value: unknown): string | undefined {
  if (typeof value === 'boolean' || Number.isFinite(value)) return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

function got(value: unknown): string {
  return value === undefined ? 'none' : show(value)
}

function checkLabels(labels: readonly string[], title: string): void {
  if (!Array.isArray(labels) || labels.some(label => typeof label !== 'string' || label === '')) {
    throw new TypeError(`"${title}" expected an array of strings that are not empty, got ${show(labels)}`)
  }
  if (new Set(labels).size !== labels.length)
    throw new RangeError(`"${title}" expected each label once, got ${show(labels)}`)
  if (labels.length < 2)
    throw new RangeError(`"${title}" expected at least two labels, got ${show(labels)}; a classifier needs two`)
}

function formatOf(title: string): TableFormat {
  const ending = /\.([^./]+)$/.exec(title)?.[1].toLowerCase()
  if (ending === 'jsonl' || ending === 'ndjson') return 'jsonl'
  if (ending === 'csv' || ending === 'tsv') return ending
  throw new RangeError(`"file" expected a name that ends in .jsonl, .csv or .tsv, got ${show(title)}; or give "format"`)
}

function describe(title: string, problems: RowProblem[], rows: number): string {
  const first = problems.sort((a, b) => a.line - b.line).slice(0, SHOWN_PROBLEMS)
  const rest = problems.length - first.length
  return [
    `${show(title)} expected every row to hold client, text and label, got ${problems.length} bad of ${rows} rows:`,
    ...first.map(({ line, message }) => `  line ${line}: ${message}`),
    ...rest > 0 ? [`  and ${rest} more`] : [],
  ].join('\n')
}
