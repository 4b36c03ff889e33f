/**
 * Rows of named fields out of JSONL, CSV and TSV text, each with its line. A row that cannot be read becomes a problem
 * and the others are still read.
 * @module
 */
import Papa from 'papaparse'
import { show } from '../assert.ts'
import { FormatError } from '../errors.ts'

/** A table of rows in a text file. */
export type TableFormat = 'jsonl' | 'csv' | 'tsv'

/** A row's fields by name. */
export interface Row {
  readonly line: number
  readonly fields: ReadonlyMap<string, unknown>
}

/** What is wrong with one row, and what to do. */
export interface RowProblem {
  readonly line: number
  readonly message: string
}

/** All rows of a file. */
export interface Table {
  readonly rows: readonly Row[]
  readonly problems: readonly RowProblem[]
  /** Columns of CSV and TSV; undefined for JSONL, where each row names its own. */
  readonly columns: readonly string[] | undefined
}

/**
 * Reads a table.
 *
 * JSONL: one JSON object a line. CSV: RFC 4180, a header first; a field with commas, quotes or line breaks stands in
 * double quotes. TSV: a header first, fields between tabs, no quoting. Blank lines are skipped; CR LF and CR count as
 * LF.
 *
 * @throws FormatError where the file is not UTF-8, or its header is missing or names a column twice.
 */
export function readTable(bytes: Uint8Array, format: TableFormat, title: string): Table {
  const text = decode(bytes, title).replace(/\r\n?/g, '\n')
  return format === 'jsonl' ? readJsonl(text) : readDelimited(text, format, title)
}

function readJsonl(text: string): Table {
  const rows: Row[] = []
  const problems: RowProblem[] = []
  text.split('\n').forEach((source, index) => {
    if (source.trim() === '') return
    const line = index + 1
    try {
      const value: unknown = JSON.parse(source)
      if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
        rows.push({ line, fields: new Map(Object.entries(value)) })
      } else {
        problems.push({ line, message: `expected a JSON object, got ${show(value)}; write one object a line` })
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      problems.push({
        line,
        message: `expected a JSON object, got text that is not JSON (${detail}); write one object a line`,
      })
    }
  })
  return { rows, problems, columns: undefined }
}

function readDelimited(text: string, format: 'csv' | 'tsv', title: string): Table {
  const rows: Row[] = []
  const problems: RowProblem[] = []
  let columns: readonly string[] | undefined
  const addRow = (line: number, values: readonly string[], damage: string | undefined): void => {
    if (values.length === 1 && values[0].trim() === '') return
    if (damage !== undefined) {
      problems.push({
        line,
        message: `expected balanced quotes, got: ${damage}; write a quote inside a quoted field as ""`,
      })
    } else if (columns === undefined) {
      columns = header(values, line, title)
    } else if (values.length !== columns.length) {
      const advice = format === 'csv' ? 'put a field that holds commas or line breaks in double quotes'
        : 'remove tabs and line breaks from within the fields'
      problems.push({
        line,
        message: `expected ${columns.length} fields as in the header, got ${values.length}; ${advice}`,
      })
    } else {
      rows.push({ line, fields: new Map(columns.map((name, i) => [name, values[i]])) })
    }
  }
  if (format === 'tsv') text.split('\n').forEach((line, index) => addRow(index + 1, line.split('\t'), undefined))
  else eachCsvRow(text, addRow)
  if (columns === undefined)
    throw new FormatError(`${show(title)} expected a header that names the columns, got an empty file`)
  return { rows, problems, columns }
}

function eachCsvRow(text: string, addRow: (line: number, values: string[], damage: string | undefined) => void): void {
  let start = 0
  let line = 1
  Papa.parse(text, {
    delimiter: ',',
    newline: '\n',
    step: ({ data, errors, meta }) => {
      addRow(line, data, errors[0]?.message)
      for (; start < meta.cursor && start < text.length; start++) if (text.charCodeAt(start) === 10) line++
    },
  })
}

function header(names: readonly string[], line: number, title: string): readonly string[] {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name))
      throw new FormatError(`${show(title)} line ${line}: expected each column once, got ${show(name)} again`)
    seen.add(name)
  }
  return names
}

function decode(bytes: Uint8Array, title: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    return decoder.decode(bytes)
  } catch {
    let line = 1
    for (let start = 0; start < bytes.length; line++) {
      const found = bytes.indexOf(10, start)
      const end = found < 0 ? bytes.length : found
      try {
        decoder.decode(bytes.subarray(start, end))
      } catch {
        break
      }
      start = end + 1
    }
    throw new FormatError(`${show(title)} line ${line}: expected UTF-8 text, got other bytes; save the file as UTF-8`)
  }
}
