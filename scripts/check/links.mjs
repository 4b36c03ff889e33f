// Links between the pages, and to files of the project, lead somewhere.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { place, read } from './files.mjs'

export const title = 'links of README.md and docs/ lead somewhere'

/** The word of a heading in a link, as renderers make it. */
const anchor = (heading) => heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')

/**
 * Links that lead nowhere, in words.
 *
 * @param {{ path: string, text: string }[]} pages @param {(path: string) => boolean} exists
 */
export function linkProblems(pages, exists) {
  const anchors = new Map(pages.map(({ path, text }) => [path, new Set([...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchor(match[1])))]))
  const problems = []
  for (const { path, text } of pages) {
    const prose = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, (fence) => fence.replace(/[^\n]/g, ' '))
    for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file, word] = match[1].split('#')
      if (/^[a-z]+:/.test(file)) continue
      const target = file === '' ? path : join(dirname(path), file)
      const at = place(path, text, match.index)
      if (!exists(target)) problems.push(`${at} links to ${match[1]}, expected a file ${target}`)
      else if (word && anchors.has(target) && !anchors.get(target).has(word)) problems.push(`${at} links to ${match[1]}, but ${target} has no heading that reads so`)
    }
  }
  return problems
}

export async function check({ root }) {
  const pages = await read(root, '*.md', 'docs/**/*.md', 'examples/**/*.md')
  return { problems: linkProblems(pages, (path) => existsSync(join(root, path))), notes: [`${pages.length} pages`] }
}
