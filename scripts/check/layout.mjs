// What a reader expects at the top of a project is there and says the same: README, licence, changelog, commands.
import { accessSync, constants, existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { read } from './files.mjs'

export const title = 'README, changelog, licence and pages are there and agree with package.json'

/**
 * What is missing, in words.
 *
 * @param {{ name: string, version: string, license: string, files: string[] }} manifest
 * @param {{ path: string, text: string }[]} pages - README.md, CHANGELOG.md, LICENSE, docs/
 * @returns {string[]}
 */
export function layoutProblems(manifest, pages) {
  const text = (path) => pages.find((page) => page.path === path)?.text
  const problems = ['README.md', 'CHANGELOG.md', 'LICENSE'].filter((path) => text(path) === undefined).map((path) => `${path} expected at the top, got none; write it`)
  const readme = text('README.md')
  if (readme !== undefined) {
    for (const command of ['npm start', 'npm cit']) if (!readme.includes(command)) problems.push(`README.md expected the command ${command}, got none`)
    for (const { path } of pages.filter((page) => page.path.startsWith('docs/'))) {
      if (!reached(path, pages)) problems.push(`${path} is reached by no link from README.md; link it where a reader needs it`)
    }
  }
  const changes = text('CHANGELOG.md')
  if (changes !== undefined && !new RegExp(`^## .*\\b${manifest.version.replaceAll('.', '\\.')}\\b`, 'm').test(changes)) {
    problems.push(`CHANGELOG.md expected a heading "## ${manifest.version}" (the version of package.json), got none`)
  }
  if (manifest.license === 'Apache-2.0' && text('LICENSE') !== undefined && !/Apache License\s+Version 2\.0/.test(text('LICENSE'))) {
    problems.push('LICENSE expected the Apache License 2.0 that package.json names')
  }
  return problems
}

/** True where links lead from README.md to a page. */
function reached(path, pages) {
  const seen = new Set(['README.md'])
  for (const from of seen) {
    const page = pages.find((each) => each.path === from)
    for (const [, link] of page?.text.matchAll(/\]\(([^)#\s]+)/g) ?? []) seen.add(posix.join(posix.dirname(from), link))
  }
  return seen.has(path)
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export async function check({ root }) {
  const manifest = JSON.parse((await read(root, 'package.json'))[0].text)
  const problems = layoutProblems(manifest, await read(root, '*.md', 'LICENSE', 'docs/**/*.md'))
  if (!executable(join(root, '.ci/run'))) problems.push('.ci/run expected an executable file; chmod +x .ci/run')
  for (const file of manifest.files) if (file !== 'dist' && !existsSync(join(root, file))) problems.push(`package.json ships ${file}, which does not exist`)
  return { problems }
}
