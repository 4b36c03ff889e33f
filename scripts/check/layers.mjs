// Imports go only downward through the layers, type-only imports included. The table below is the law: a file belongs
// to the row with the longest matching path; it may import its own row and rows further up in the table.
import { posix } from 'node:path'
import ts from 'typescript'
import { read } from './files.mjs'

export const title = 'imports go only downward through the layers'

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string[]} paths - below src/; folders end with `/`
 * @property {string[]} [only] - the only rows below it that it may import, where not all
 * @property {string[]} [importedBy] - the only rows that may import it, where not all above it
 */

/** From the ground up. @type {Layer[]} */
export const layers = [
  // The interface of a folder of files is part of Host, so it stands on the ground.
  { name: 'ground', paths: ['host.ts', 'errors.ts', 'assert.ts', 'random.ts', 'canonical.ts', 'numerics.ts', 'globals.d.ts', 'num/', 'checkpoint/source.ts'] },
  { name: 'privacy/accountant', paths: ['privacy/accountant/'], only: ['ground'] },
  { name: 'privacy/ledger', paths: ['privacy/ledger/'], only: ['ground', 'privacy/accountant'] },
  { name: 'checkpoint', paths: ['checkpoint/'], only: ['ground'] },
  { name: 'tokenizer', paths: ['tokenizer/'], only: ['ground', 'checkpoint'] },
  { name: 'data', paths: ['data/'], only: ['ground', 'checkpoint'] },
  { name: 'wasm', paths: ['wasm/'], only: ['ground'] },
  { name: 'tensor', paths: ['tensor/'], only: ['ground', 'wasm'] },
  { name: 'graph', paths: ['graph/'], only: ['ground', 'wasm', 'tensor'] },
  { name: 'ops', paths: ['ops/'], only: ['ground', 'wasm', 'tensor', 'graph'] },
  { name: 'model', paths: ['model/'], only: ['ground', 'checkpoint', 'tokenizer', 'wasm', 'tensor', 'graph', 'ops'] },
  { name: 'peft', paths: ['peft/'], only: ['ground', 'checkpoint', 'wasm', 'tensor', 'graph', 'ops', 'model'] },
  { name: 'optim', paths: ['optim/'], only: ['ground', 'wasm', 'tensor', 'ops', 'peft'] },
  { name: 'privacy/mechanism', paths: ['privacy/mechanism/'], only: ['ground', 'privacy/accountant', 'wasm', 'tensor', 'ops'] },
  { name: 'train', paths: ['train/'] },
  { name: 'federated', paths: ['federated/'] },
  { name: 'simulation', paths: ['simulation/'] },
  { name: 'report', paths: ['report/'], importedBy: ['cli'] },
  { name: 'replay', paths: ['replay/'] },
  { name: 'selftest', paths: ['selftest/'], importedBy: ['cli'] },
  { name: 'index', paths: ['index.ts'], importedBy: [] },
  { name: 'runtime', paths: ['runtime/'], importedBy: ['cli'] },
  { name: 'cli', paths: ['cli/'], importedBy: [] },
]

/** Packages that exactly one file may import: it is the one to change should they go. */
const soleImporters = { '@assemblyscript/loader': 'src/wasm/instantiate.ts' }

/** Rows that may import what only one runtime has. */
const leaves = ['runtime', 'cli', 'report']

/** @returns {Layer | undefined} */
function layerOf(path, table) {
  let found, longest = -1
  for (const layer of table) {
    for (const start of layer.paths) {
      const name = `src/${start}`
      if ((start.endsWith('/') ? path.startsWith(name) : path === name) && name.length > longest) {
        found = layer
        longest = name.length
      }
    }
  }
  return found
}

/** Every module that a TypeScript file names in an import, export ... from, import() or type import. */
export function importsOf(text) {
  return ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName)
}

/**
 * The imports that break the law, in words.
 *
 * @param {{ path: string, text: string }[]} files - sources below src/
 * @param {{ table?: Layer[], dependencies?: string[] }} [options] - dependencies: packages that src/ may import
 * @returns {string[]}
 */
export function layerProblems(files, { table = layers, dependencies } = {}) {
  const problems = []
  for (const { path, text } of files) {
    const from = layerOf(path, table)
    if (from === undefined) {
      problems.push(`${path} is in no layer; add its folder to the table of scripts/check/layers.mjs`)
      continue
    }
    if (path === 'src/index.ts') problems.push(...reexportProblems(path, text))
    for (const name of importsOf(text)) {
      if (!name.startsWith('.')) problems.push(...packageProblems(path, from, name, dependencies))
      else problems.push(...edgeProblems(path, from, posix.join(posix.dirname(path), name), table))
    }
  }
  return problems
}

function edgeProblems(path, from, target, table) {
  if (!target.startsWith('src/')) return [`${path} imports ${target}; src/ imports nothing outside itself`]
  const to = layerOf(target, table)
  if (to === undefined) return [`${path} imports ${target}, which is in no layer; add it to scripts/check/layers.mjs`]
  if (to === from) return []
  const edge = `${path} (${from.name}) imports ${target} (${to.name})`
  if (table.indexOf(to) > table.indexOf(from)) {
    return [`${edge}; imports go down only: move the shared part down, or have it passed in`]
  }
  if (from.only && !from.only.includes(to.name)) return [`${edge}; ${from.name} may import only ${from.only.join(', ')}`]
  if (to.importedBy && !to.importedBy.includes(from.name)) {
    return [`${edge}; ${to.name} may be imported by ${to.importedBy.join(', ') || 'nothing'}: have it passed in`]
  }
  return []
}

function packageProblems(path, from, name, dependencies) {
  if (name.startsWith('node:') || name.startsWith('bun:')) {
    return leaves.includes(from.name) ? [] : [`${path} imports ${name}; only ${leaves.join(', ')} may use a runtime's own modules`]
  }
  const packageName = name.split('/').slice(0, name.startsWith('@') ? 2 : 1).join('/')
  const sole = soleImporters[packageName]
  if (sole !== undefined && path !== sole) return [`${path} imports ${name}; only ${sole} may`]
  if (dependencies && !dependencies.includes(packageName)) {
    return [`${path} imports ${name}, which is not among the dependencies in package.json (users would not have it)`]
  }
  return []
}

/** index.ts only re-exports: no statement of another kind. */
function reexportProblems(path, text) {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022).statements
    .filter((statement) => !(ts.isExportDeclaration(statement) && statement.moduleSpecifier))
    .map((statement) => `${path} may only re-export, got "${text.slice(statement.pos, statement.end).trim().split('\n')[0]}"`)
}

/** The AssemblyScript stands alone; its entry only re-exports. */
export function assemblyProblems(files) {
  const problems = []
  for (const { path, text } of files) {
    for (const name of importsOf(text)) {
      const target = posix.join(posix.dirname(path), name)
      if (!name.startsWith('.') || !target.startsWith('assembly/')) problems.push(`${path} imports ${name}; assembly/ imports nothing outside itself`)
      else if (path.startsWith('assembly/math/') && target.startsWith('assembly/kernels/')) problems.push(`${path} imports ${target}; kernels import math, not the reverse`)
    }
    if (path === 'assembly/index.ts') problems.push(...reexportProblems(path, text))
  }
  return problems
}

export async function check({ root }) {
  const dependencies = Object.keys(JSON.parse((await read(root, 'package.json'))[0].text).dependencies)
  const files = await read(root, 'src/**/*.ts')
  const scripts = (await read(root, 'scripts/**/*.mjs'))
    .filter(({ text }) => /from '(\.\.\/)+test\//.test(text))
    .map(({ path }) => `${path} imports from test/; scripts do not depend on tests`)
  return {
    problems: [...layerProblems(files, { dependencies }), ...assemblyProblems(await read(root, 'assembly/**/*.ts')), ...scripts],
    notes: [`${files.length} files`],
  }
}
