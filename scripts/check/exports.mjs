// The public surface: package.json's exports lead to files that are built, pages name only subpaths that exist, and
// every public name stands in test/project/exports.snapshot.json, so that no change of it goes unseen.
// After a wanted change: node scripts/check.mjs exports --update
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { read } from './files.mjs'

export const title = 'package exports, files, pages and the snapshot of public names agree'

export const snapshot = 'test/project/exports.snapshot.json'

/** Subpaths with code: name and source file. */
export function entries(manifest) {
  return Object.entries(manifest.exports).filter(([, target]) => typeof target === 'object')
    .map(([subpath, target]) => ({ subpath, target, source: target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts') }))
}

/** Exports that lead nowhere, in words. */
export function targetProblems(manifest, exists) {
  const problems = []
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    const files = typeof target === 'string' ? [target] : Object.values(target)
    for (const file of files) {
      if (!exists(file)) problems.push(`package.json exports "${subpath}" as ${file}, which the build does not make; write its source or take the export out`)
    }
    if (typeof target === 'object' && target.types !== target.default.replace(/\.js$/, '.d.ts')) {
      problems.push(`package.json exports "${subpath}" with types ${target.types}, expected those beside ${target.default}`)
    }
  }
  for (const [name, file] of Object.entries(manifest.bin ?? {})) {
    if (!exists(file)) problems.push(`package.json has the command ${name} at ${file}, which the build does not make; write its source or take it out`)
  }
  return problems
}

/** Subpaths that pages import but the package does not have; and those that no page names, once there are pages. */
export function pageProblems(manifest, pages) {
  const known = Object.keys(manifest.exports).map((subpath) => manifest.name + subpath.slice(1))
  const named = new Set()
  const problems = []
  for (const { path, text } of pages) {
    for (const [, name] of text.matchAll(/['"`](sotto(?:\/[\w./-]+)?)['"`]/g)) {
      named.add(name)
      if (!known.includes(name)) problems.push(`${path} names ${name}, which package.json does not export`)
    }
  }
  if (pages.length > 0) {
    for (const { subpath } of entries(manifest)) {
      const name = manifest.name + subpath.slice(1)
      if (!named.has(name)) problems.push(`${name} is named on no page; say in README.md or docs/ what it is for`)
    }
  }
  return problems
}

/** Public names of each subpath, sorted; names that are types only carry "type". */
export function publicNames(root, list) {
  const config = ts.readConfigFile(join(root, 'tsconfig.leaves.json'), ts.sys.readFile).config
  const base = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent({ compilerOptions: { ...base.compilerOptions, ...config.compilerOptions }, files: [] }, ts.sys, root)
  const files = list.map(({ source }) => join(root, source))
  const program = ts.createProgram([...files, join(root, 'src/globals.d.ts')], { ...options, noEmit: true })
  const checker = program.getTypeChecker()
  return Object.fromEntries(list.map(({ subpath }, i) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(files[i]))
    const names = (symbol ? checker.getExportsOfModule(symbol) : []).map((each) => {
      const real = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each
      return real.flags & ts.SymbolFlags.Value ? each.name : `type ${each.name}`
    })
    return [subpath, names.sort()]
  }))
}

/** Differences from the snapshot, in words. */
export function snapshotProblems(expected, got) {
  const problems = []
  for (const subpath of new Set([...Object.keys(expected), ...Object.keys(got)])) {
    const before = expected[subpath] ?? [], now = got[subpath] ?? []
    const gone = before.filter((name) => !now.includes(name)), come = now.filter((name) => !before.includes(name))
    if (gone.length > 0) problems.push(`"${subpath}" no longer exports ${gone.join(', ')}`)
    if (come.length > 0) problems.push(`"${subpath}" now exports ${come.join(', ')}`)
  }
  return problems.map((problem) => `${problem}; if that is wanted: node scripts/check.mjs exports --update`)
}

export async function check({ root, update }) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const exists = (file) => existsSync(join(root, file))
  const present = entries(manifest).filter(({ source }) => exists(source))
  const names = publicNames(root, present)
  if (update) writeFileSync(join(root, snapshot), JSON.stringify(names, undefined, 2) + '\n')
  const expected = exists(snapshot) ? JSON.parse(readFileSync(join(root, snapshot), 'utf8')) : {}
  return {
    problems: [
      ...targetProblems(manifest, exists), ...snapshotProblems(expected, names),
      ...pageProblems(manifest, await read(root, 'README.md', 'docs/**/*.md')),
    ],
    notes: [`${Object.values(names).flat().length} public names of ${present.length} subpaths`],
  }
}
