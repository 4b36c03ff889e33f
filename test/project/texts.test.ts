/** The gates that read texts stop what they should: test files, long files, words of one machine, links, kernels, exports. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pageProblems, snapshotProblems, targetProblems } from '../../scripts/check/exports.mjs'
import { kernelProblems } from '../../scripts/check/kernels.mjs'
import { layoutProblems } from '../../scripts/check/layout.mjs'
import { lineProblems } from '../../scripts/check/lines.mjs'
import { linkProblems } from '../../scripts/check/links.mjs'
import { testProblems } from '../../scripts/check/tests.mjs'
import { wordProblems } from '../../scripts/check/words.mjs'

const UVU = `import { test } from 'uvu'\n`

test('a test file that forgets to run, or leaves tests out, fails', () => {
  assert.equal(testProblems('a.test.ts', `${UVU}test('x', () => {})\n\ntest.run()\n`), [])
  assert.equal(testProblems('a.test.ts', `import { suite } from 'uvu'\nconst numbers = suite('n')\nnumbers.run()\n`), [])
  assert.match(testProblems('a.test.ts', `${UVU}test('x', () => {})\n`)[0], /expected test\.run\(\)/)
  assert.match(testProblems('a.test.ts', `${UVU}// test.run()\n`)[0], /expected test\.run\(\)/)
  for (const word of ['only', 'skip']) {
    assert.match(testProblems('a.test.ts', `${UVU}test.${word}('x', () => {})\ntest.run()\n`)[0], new RegExp(`a\\.test\\.ts:2 leaves tests out by \\.${word}`))
  }
})

test('files above 500 lines fail, above 300 are noted, generated ones are free', () => {
  const file = (path: string, lines: number) => ({ path, text: 'x\n'.repeat(lines) })
  assert.equal(lineProblems([file('a.ts', 300), file('b.gen.ts', 9000)]), { problems: [], notes: [] })
  assert.is(lineProblems([file('a.ts', 301)]).notes.length, 1)
  assert.equal(lineProblems([file('a.ts', 501)]).problems, ['a.ts expected at most 500 lines, got 501; split it by concept'])
})

test('registry addresses in a lock file, paths of one machine and markers of unfinished work fail', () => {
  const texts = (text: string): string[] => wordProblems([], [{ path: 'docs/a.md', text }])
  assert.is(wordProblems([{ path: 'package-lock.json', text: '{ "resolved": "https://example.org/a.tgz" }' }], []).length, 1)
  assert.equal(wordProblems([{ path: 'package-lock.json', text: '{ "resolved": "file:../a", "version": "1" }' }], []), [])
  assert.match(texts(`one\nsee ${'/wo'}rk/main/x`)[0], /^docs\/a\.md:2 expected no path of one machine/)
  assert.is(texts(`(${'/op'}t/python)`).length, 1)
  assert.equal(texts('framework/optional, https://example.org/work/opt'), [])
  assert.is(texts(`${'TO'}DO later`).length, 1)
})

test('links that lead to no file or no heading fail', () => {
  const pages = [{ path: 'README.md', text: '# A title, *here*\n[x](docs/a.md) [y](#a-title-here) [z](https://example.org) [w](docs/a.md#part)' }, { path: 'docs/a.md', text: '## Part\n[b](../README.md)' }]
  assert.equal(linkProblems(pages, (path: string) => pages.some((page) => page.path === path)), [])
  const broken = [{ path: 'docs/a.md', text: '[x](b.md) [y](#none)\n```md\n[z](c.md)\n```\n' }]
  assert.equal(linkProblems(broken, (path: string) => path === 'docs/a.md').length, 2)
})

test('a missing page, command or changelog entry, and a page that no link reaches, fail', () => {
  const manifest = { name: 'sotto', version: '1.2.3', license: 'Apache-2.0', files: [] }
  const pages = [
    { path: 'README.md', text: 'npm start, npm cit, [a](docs/a.md)' }, { path: 'CHANGELOG.md', text: '## 1.2.3' },
    { path: 'LICENSE', text: 'Apache License\n   Version 2.0' }, { path: 'docs/a.md', text: '[b](b.md)' }, { path: 'docs/b.md', text: '' },
  ]
  assert.equal(layoutProblems(manifest, pages), [])
  for (const missing of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    assert.match(layoutProblems(manifest, pages.filter(({ path }) => path !== missing))[0], new RegExp(`^${missing} expected at the top`))
  }
  const changed = (path: string, text: string): string[] => layoutProblems(manifest, pages.map((page) => page.path === path ? { path, text } : page))
  assert.match(changed('README.md', 'npm start [a](docs/a.md)')[0], /expected the command npm cit/)
  assert.match(changed('docs/a.md', '')[0], /docs\/b\.md is reached by no link/)
  assert.match(changed('CHANGELOG.md', '## 1.2.30')[0], /expected a heading "## 1\.2\.3"/)
  assert.match(changed('LICENSE', 'MIT')[0], /Apache License 2\.0/)
})

test('a kernel without a twin or a test fails; an exception that is no longer needed fails', () => {
  const sources = [{ path: 'assembly/kernels/pool.ts', text: 'export function mean_pool_forward(out: usize): void {}\nexport function helper(): void {}\n' }]
  const twin = [{ text: 'export function meanPoolForward() {}' }], tests = [{ text: 'k.mean_pool_forward(1)' }]
  assert.equal(kernelProblems(sources, ['mean_pool_forward'], twin, tests, {}), [])
  assert.match(kernelProblems(sources, ['mean_pool_forward'], [], tests, {})[0], /no twin in test\/reference; write it as meanPoolForward/)
  assert.match(kernelProblems(sources, ['mean_pool_forward'], twin, [], {})[0], /called by no test/)
  assert.equal(kernelProblems(sources, ['mean_pool_forward'], [], tests, { mean_pool_forward: 'reason' }), [])
  assert.match(kernelProblems(sources, ['mean_pool_forward'], twin, tests, { gone: 'reason' })[0], /no exception any more/)
  const parts = [{ text: 'for (const name of [\'mean_pool\']) k[`${name}_forward`]()' }]
  assert.equal(kernelProblems(sources, ['mean_pool_forward'], twin, parts, {}), [])
})

test('exports that lead nowhere, pages that name other subpaths, and a changed surface fail', () => {
  const manifest = { name: 'sotto', exports: { '.': { types: './dist/a.d.ts', default: './dist/a.js' }, './x': './dist/x.wasm' }, bin: { sotto: './dist/m.js' } }
  assert.equal(targetProblems(manifest, () => true), [])
  assert.is(targetProblems(manifest, () => false).length, 4)
  assert.is(targetProblems({ exports: { '.': { types: './dist/b.d.ts', default: './dist/a.js' } } }, () => true).length, 1)
  assert.equal(pageProblems(manifest, [{ path: 'README.md', text: `import { a } from 'sotto'` }]), [])
  assert.match(pageProblems(manifest, [{ path: 'README.md', text: `import { a } from 'sotto/none'; import 'sotto'` }])[0], /does not export/)
  assert.match(pageProblems(manifest, [{ path: 'README.md', text: 'nothing' }])[0], /named on no page/)
  assert.equal(snapshotProblems({ '.': ['a', 'b'] }, { '.': ['a', 'b'] }), [])
  assert.match(snapshotProblems({ '.': ['a', 'b'] }, { '.': ['a', 'c'] }).join(), /no longer exports b.*now exports c/)
})

test.run()
