/** The runner of documentation examples runs what a page says, in order, and fails where an example fails. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { commandsOf, exampleFolder, fencesOf, runFences } from '../../scripts/check/fences.mjs'

const folder = exampleFolder(process.cwd())
test.after(() => rmSync(folder, { recursive: true, force: true }))

const fence = (tag: string, code: string, comment = ''): string => `${comment}\n\`\`\`${tag}\n${code}\n\`\`\`\n`
const run = (page: string, quick = false) => runFences(fencesOf('page.md', page), folder, { quick })

test('fences are read with their tag, line, comment and indentation', () => {
  const page = `# Title\n\n<!-- no-run: needs a server -->\n\n\`\`\`sh\nnpm start\n\`\`\`\n\n- item\n  \`\`\`ts title\n  const x = 1\n    const y = 2\n  \`\`\`\n\n~~~js\n\`\`\`\n~~~\n`
  const fences = fencesOf('page.md', page)
  assert.equal(fences.map(({ line, language, noRun, code }) => [line, language, noRun, code]), [
    [5, 'sh', 'needs a server', 'npm start\n'], [10, 'ts', undefined, 'const x = 1\n  const y = 2\n'], [15, 'js', undefined, '```\n'],
  ])
  assert.throws(() => fencesOf('page.md', '```ts\nconst x = 1\n'), /page\.md:1 expected a line ``` that closes the fence/)
})

test('shell fences: prompts, comments and continued lines', () => {
  assert.equal(commandsOf('# first\n$ npx sotto budget \\\n  --epsilon 2\n\nnode -v\n'), ['npx sotto budget    --epsilon 2', 'node -v'])
})

test('an example that works passes: TypeScript with types, JavaScript, a command', async () => {
  const page = fence('ts', `import { ADJACENCIES } from 'sotto/privacy'\nconst names: readonly string[] = ADJACENCIES\nif (names.length === 0) throw new Error('none')`) +
    fence('js', `import { node } from 'sotto/node'\nif (node().name !== 'node') throw new Error('other')`) + fence('sh', `node -e "process.exit(0)"`)
  assert.equal(await run(page), { problems: [], notes: [], ran: 3 })
})

test('an example that throws, exits with another code or does not parse fails, with its line and output', async () => {
  const { problems } = await run(fence('js', `throw new Error('broken example')`) + fence('sh', 'node -e "process.exit(3)"') + fence('ts', 'const = 1'))
  assert.is(problems.length, 3)
  assert.match(problems[0], /^page\.md:2 expected exit code 0, got 1[^]*broken example/)
  assert.match(problems[1], /^page\.md:6 .*got 3/)
  assert.match(problems[2], /^page\.md:10 expected TypeScript/)
})

test('a command that is neither node nor npx sotto fails unless it is marked', async () => {
  assert.match((await run(fence('sh', 'curl example.org'))).problems[0], /only "npx sotto \.\.\." and "node \.\.\."/)
  assert.match((await run(fence('sh', 'nodejs x'))).problems[0], /only/)
  assert.equal(await run(fence('sh', 'npm install sotto', '<!-- no-run: installs -->')), { problems: [], notes: ['page.md:2 not run: installs'], ran: 0 })
})

test('slow fences run in the full run only; other tags never', async () => {
  const page = fence('js', `throw new Error('slow')`, '<!-- run: slow -->')
  assert.equal(await run(page, true), { problems: [], notes: ['page.md:2 is left out of the quick run'], ran: 0 })
  assert.is((await run(page)).problems.length, 1)
  assert.equal(await run(fence('json', '{') + fence('', 'text')), { problems: [], notes: [], ran: 0 })
})

test('fences of a page share a folder; a named file is written; a fence can continue the one before', async () => {
  const page = fence('json', '{ "rounds": 3 }', '<!-- file: config/run.json -->') +
    fence('js', `import { readFileSync } from 'node:fs'\nconst { rounds } = JSON.parse(readFileSync('config/run.json', 'utf8'))`) +
    fence('js', `if (rounds !== 3) throw new Error('lost')`, '<!-- run: continues -->')
  assert.equal(await run(page), { problems: [], notes: [], ran: 2 })
  assert.match((await run(fence('json', '{}', '<!-- file: ../outside.json -->'))).problems[0], /below the folder/)
  assert.not(existsSync(join(folder, '../outside.json')))
})

test.run()
