/**
 * The words of an HTML mail: what a reader would see, without tags, styles and scripts. Linear in the length, whatever
 * the tags look like; real mail closes few of them.
 * @module
 */

/** Elements after which a word does not go on. */
const BLOCKS = new Set([
  'address', 'blockquote', 'br', 'center', 'dd', 'div', 'dl', 'dt', 'form', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
  'hr', 'li', 'ol', 'option', 'p', 'pre', 'table', 'td', 'th', 'title', 'tr', 'ul',
])

/** Elements whose content is not text. */
const HIDDEN = new Set(['script', 'style'])

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', copy: '\u00a9', reg: '\u00ae', trade: '\u2122',
  euro: '\u20ac', pound: '\u00a3', cent: '\u00a2', yen: '\u00a5', deg: '\u00b0', middot: '\u00b7', bull: '\u2022',
  hellip: '\u2026', ndash: '\u2013', mdash: '\u2014', lsquo: '\u2018', rsquo: '\u2019', ldquo: '\u201c',
  rdquo: '\u201d', laquo: '\u00ab', raquo: '\u00bb', eacute: '\u00e9', egrave: '\u00e8', agrave: '\u00e0',
  aacute: '\u00e1', oacute: '\u00f3', uacute: '\u00fa', iacute: '\u00ed', ntilde: '\u00f1', ccedil: '\u00e7',
  auml: '\u00e4', ouml: '\u00f6', uuml: '\u00fc', szlig: '\u00df',
}

/** Text of an HTML document or fragment. Blocks end lines; white space is single. */
export function htmlText(html: string): string {
  let out = ''
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    if (open < 0) break
    out += html.slice(at, open)
    if (html.startsWith('<!--', open)) {
      at = after(html, '-->', open + 4)
      continue
    }
    const name = /^<\/?([a-z][a-z0-9]*)/i.exec(html.slice(open, open + 24))?.[1].toLowerCase()
    if (name === undefined && html[open + 1] !== '!' && html[open + 1] !== '?') {
      out += '<'
      at = open + 1
      continue
    }
    at = after(html, '>', open)
    if (name !== undefined && HIDDEN.has(name) && html[open + 1] !== '/') at = after(html, '>', closing(html, name, at))
    if (name !== undefined && BLOCKS.has(name)) out += '\n'
  }
  return decodeEntities(out + html.slice(at)).replace(/[^\S\n]+/g, ' ').replace(/ ?\n\s*/g, '\n').trim()
}

/** The place after the next `mark`; the end where there is none. */
function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from)
  return found < 0 ? html.length : found + mark.length
}

function closing(html: string, name: string, from: number): number {
  const tag = new RegExp(`</${name}`, 'gi')
  tag.lastIndex = from
  return tag.exec(html)?.index ?? html.length
}

function decodeEntities(text: string): string {
  return text.replace(/&(#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});?/gi, (whole, name: string) => {
    if (name[0] !== '#') return ENTITIES[name] ?? ENTITIES[name.toLowerCase()] ?? whole
    const code = name[1] === 'x' || name[1] === 'X' ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
