// A test file that forgets to run its tests passes silently; so does one with .only or .skip.
import { place, read } from './files.mjs'

export const title = 'every test file runs all its tests'

/** What is wrong with a test file, in words. */
export function testProblems(path, text) {
  const problems = []
  const last = text.trimEnd().split('\n').at(-1)
  if (!/^\w+\.run\(\)$/.test(last)) problems.push(`${path} expected test.run() (or suite.run()) as its last line, got "${last}"`)
  if (!/from 'uvu'/.test(text)) problems.push(`${path} expected an import of uvu, got none`)
  for (const match of text.matchAll(/^\s*\w+\.(only|skip)\(/gm)) {
    problems.push(`${place(path, text, match.index + match[0].search(/\S/))} leaves tests out by .${match[1]}(); where something is not installed, register nothing and print a line "NOTE: ..." that says so`)
  }
  return problems
}

export async function check({ root }) {
  const files = await read(root, 'test/**/*.test.ts')
  const strays = (await read(root, 'test/**/*.ts', '!test/**/*.test.ts')).filter(({ text }) => /^\w+\.run\(\)$/m.test(text))
    .map(({ path }) => `${path} runs tests but does not end in .test.ts, so nobody runs it`)
  return { problems: [...files.flatMap(({ path, text }) => testProblems(path, text)), ...strays], notes: [`${files.length} files`] }
}
