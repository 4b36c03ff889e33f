// What belongs to one machine or one registry does not belong in the project.
import { place, read } from './files.mjs'

export const title = 'nothing names one machine or one registry'

/** Places of a pattern in some files, in words. */
function found(files, pattern, what) {
  return files.flatMap(({ path, text }) => [...text.matchAll(pattern)].map((match) => `${place(path, text, match.index)} ${what}, got "${match[0].trim()}"`))
}

/** @param {{ path: string, text: string }[]} locks @param {{ path: string, text: string }[]} texts */
export function wordProblems(locks, texts) {
  return [
    ...found(locks, /"resolved": *"(?!file:)[^"]*"/g, 'expected no "resolved" (.npmrc has omit-lockfile-registry-resolved=true; run npm install again)'),
    ...found(texts, /(?<![\w.~-])\/(?:work|opt|root|home)\/[\w./-]*/g, 'expected no path of one machine; take it as an argument or from the environment'),
    ...found(texts, /^.*\b(?:TODO|FIXME|XXX)\b.*$/gm, 'expected no marker of unfinished work'),
  ]
}

export async function check({ root }) {
  return {
    problems: wordProblems(
      await read(root, '**/package-lock.json', '**/.npmrc', '!build/**', '!runs/**'),
      await read(root, 'src/**/*.{ts,html,css}', 'assembly/**/*.ts', 'docs/**/*.md', 'examples/**/*.{md,ts,mjs,json}', '*.md', 'scripts/*.mjs', 'scripts/check/*.mjs', '!scripts/check/words.mjs', '.ci/run'),
    ),
  }
}
