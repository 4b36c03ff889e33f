/**
 * Tables for a terminal.
 * @module
 */

/** Rows under a header, columns as wide as they need; all but the first are set to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(length(title), ...rows.map(row => length(row[i]))))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell + pad(cell, widths[i]) : pad(cell, widths[i]) + cell)).join('  ').trimEnd()
  return [line(header), widths.map(width => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

const length = (text: string): number => [...text].length

const pad = (text: string, width: number): string => ' '.repeat(Math.max(0, width - length(text)))

/** A paragraph broken at spaces, later lines indented. */
export function wrap(text: string, indent = '', columns = Math.min(100, process.stdout.columns ?? 100)): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && length(line) + 1 + length(word) > columns) {
      lines.push(line)
      line = indent + word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join('\n')
}
