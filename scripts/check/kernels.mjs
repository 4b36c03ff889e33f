// Each exported kernel has a double-precision twin that is easy to read, and a test that calls it.
import { read } from './files.mjs'

export const title = 'each kernel has a reference twin and a test'

/** Kernels without a twin, and why they need none. Privacy kernels work on exact integers and have tests of their own. @type {Record<string, string>} */
const noTwin = {
  arithmetic_probe: 'asks the machine, whose right answers stand in it',
  pack_weight: 'only moves values; every test of linear reads through it',
  gemm_tile: 'changes no bit', int8_tile: 'changes no bit',
  zero: 'fills memory', copy: 'moves memory',
}

/** Kernels that only say how much memory another one needs. */
const isSize = (name) => /_(scratch|length|bytes)$/.test(name)

/** `mean_pool_forward` and `meanPoolForward` become the same word. */
const plain = (name) => name.replaceAll('_', '').toLowerCase()

/**
 * What is missing, in words.
 *
 * @param {{ path: string, text: string }[]} sources - AssemblyScript files
 * @param {string[]} exported - names that the built module exports
 * @param {{ text: string }[]} references @param {{ text: string }[]} tests
 * @param {Record<string, string>} [without] - kernels that need no twin, with the reason
 * @returns {string[]}
 */
export function kernelProblems(sources, exported, references, tests, without = noTwin) {
  const twins = new Set(references.flatMap(({ text }) => [...text.matchAll(/^export (?:function|const) (\w+)/gm)].map((match) => plain(match[1]))))
  const called = tests.map(({ text }) => text).join('\n')
  const problems = []
  const names = new Set()
  for (const { path, text } of sources) {
    for (const [, name] of text.matchAll(/^export function (\w+)\s*\(/gm)) {
      if (!exported.includes(name)) continue
      names.add(name)
      const base = name.replace(/_(forward|backward)$/, '')
      if (!isSize(name) && !Object.hasOwn(without, name) && !twins.has(plain(name)) && !twins.has(plain(base))) {
        problems.push(`${name} of ${path} has no twin in test/reference; write it as ${camel(name)}`)
      }
      // `name(`, `'name'`, or a name made of its parts: `${base}_forward` with 'base' in the same file
      const parts = base !== name && tests.some((file) => new RegExp(`'${base}'`).test(file.text) && file.text.includes(`}_${name.slice(base.length + 1)}\``))
      if (!new RegExp(`\\b${name}\\b`).test(called) && !parts) problems.push(`${name} of ${path} is called by no test; call it in test/kernels`)
    }
  }
  for (const name of Object.keys(without)) if (!names.has(name)) problems.push(`${name} needs no exception any more; delete it in scripts/check/kernels.mjs`)
  return problems
}

const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())

/** Names that the built module exports. */
export async function exportedKernels(root) {
  const { readFileSync } = await import('node:fs')
  return WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(`${root}/dist/wasm/sotto.scalar.wasm`))).map(({ name }) => name)
}

export async function check({ root }) {
  const exported = await exportedKernels(root)
  return {
    problems: kernelProblems(
      await read(root, 'assembly/kernels/*.ts', 'assembly/math/*.ts'), exported,
      await read(root, 'test/reference/*.ts'), await read(root, 'test/**/*.test.ts', 'test/support/*.ts'),
    ),
    notes: [`${exported.length} exports`],
  }
}
