// The portable part compiles without the types of any runtime; all of it with those of Node and the web; tests too.
import { $ } from 'zx'

export const title = 'portable code compiles without DOM or Node types, everything with them, tests and examples too'

const projects = {
  'tsconfig.json': 'portable code may use only the language and src/globals.d.ts',
  'tsconfig.leaves.json': 'fix the types',
  'tsconfig.test.json': 'fix the types of the test',
  'tsconfig.examples.json': 'fix the types of the example',
}

export async function check({ root }) {
  const problems = []
  for (const [project, remedy] of Object.entries(projects)) {
    const run = await $({ cwd: root, nothrow: true, quiet: true })`${process.execPath} node_modules/typescript/bin/tsc -p ${project} --noEmit --pretty false`
    if (run.exitCode !== 0) problems.push(...run.stdout.trim().split('\n').map((line) => `${project}: ${line} (${remedy})`))
  }
  return { problems, notes: Object.keys(projects) }
}
