// One concept a file: long files are to be split.
import { read } from './files.mjs'

export const title = 'files stay short'

const WARN = 300, FAIL = 500

/** Files that are too long, as problems, and long ones, as notes. */
export function lineProblems(files) {
  const problems = [], notes = []
  for (const { path, text } of files) {
    if (/\.gen\.\w+$/.test(path)) continue
    const lines = text.trimEnd().split('\n').length
    if (lines > FAIL) problems.push(`${path} expected at most ${FAIL} lines, got ${lines}; split it by concept`)
    else if (lines > WARN) notes.push(`${path} has ${lines} lines; consider splitting it above ${WARN}`)
  }
  return { problems, notes }
}

export async function check({ root }) {
  return lineProblems(await read(root, 'src/**/*.ts', 'assembly/**/*.ts', 'scripts/**/*.{mjs,py,sh}'))
}
