// The module is what it promises: it imports its memory and nothing else, holds no vector in the scalar build and no
// relaxed vector instruction in any, the three builds export the same, and building again gives the same bytes.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'zx'
import { summarise } from './wasm-binary.mjs'

export const title = 'the module imports only memory, builds to the same bytes, and holds only what its target may'

const targets = ['simd', 'shared', 'scalar']
const RELAXED = 0x100
/** The question to the machine, which asks for the sign of zero. */
const PROBE = 'arithmetic_probe'

/**
 * What is wrong with a build, in words.
 *
 * @param {string} target @param {Uint8Array} bytes
 */
export function binaryProblems(target, bytes) {
  const { imports, simd, saturating, atomic, extremes, v128, start } = summarise(bytes)
  const problems = []
  const say = (text) => problems.push(`sotto.${target}.wasm ${text}`)
  const names = imports.map(({ module, name }) => `${module}.${name}`)
  if (names.join() !== 'env.memory' || imports[0].memory === undefined) {
    say(`expected to import env.memory alone, got ${names.join(', ') || 'nothing'}; kernels neither allocate nor throw (see asconfig.json)`)
  } else if (imports[0].memory.shared !== (target === 'shared')) {
    say(`expected a memory that is ${target === 'shared' ? '' : 'not '}shared between threads`)
  }
  if (start) say('runs code at instantiation; expected none: constants belong in static data')
  if (target === 'scalar' && (v128 || simd.size > 0)) {
    say('expected no 128-bit vector, got some; guard them by if (ASC_FEATURE_SIMD)')
  }
  if (target !== 'scalar' && simd.size === 0) say('expected 128-bit vectors, got none')
  const relaxed = [...simd].filter((sub) => sub >= RELAXED)
  if (relaxed.length > 0) say(`expected no relaxed vector instruction, got 0xfd ${relaxed.join(', ')}: engines compute them differently`)
  const elsewhere = [...extremes].filter((name) => name !== PROBE).map((name) => name || 'a function that is not exported')
  if (elsewhere.length > 0) {
    say(`expected minimum and maximum instructions of floats in ${PROBE} alone, got some in ${elsewhere.join(', ')}: ` +
      'one old engine has a wrong sign of zero there; use lower and upper of assembly/lanes.ts')
  }
  if ([...saturating].some((sub) => sub <= 7)) say('expected no saturating conversion (the scalar build runs where they are missing)')
  if (target !== 'shared' && atomic.size > 0) say('expected no atomic instruction')
  return problems
}

/** Differences between the exports of builds, in words. */
export function exportProblems(builds) {
  const [[first, expected], ...others] = Object.entries(builds).map(([target, bytes]) => [target, summarise(bytes).exports])
  return others.flatMap(([target, names]) => [
    ...[...expected].filter((name) => !names.has(name)).map((name) => `sotto.${target}.wasm does not export ${name}, but sotto.${first}.wasm does`),
    ...[...names].filter((name) => !expected.has(name)).map((name) => `sotto.${target}.wasm exports ${name}, but sotto.${first}.wasm does not`),
  ])
}

export async function check({ root, quick }) {
  const builds = Object.fromEntries(targets.map((target) => [target, new Uint8Array(readFileSync(join(root, `dist/wasm/sotto.${target}.wasm`)))]))
  const problems = [...Object.entries(builds).flatMap(([target, bytes]) => binaryProblems(target, bytes)), ...exportProblems(builds)]
  const sizes = Object.entries(builds).map(([target, bytes]) => `${target} ${(bytes.length / 1000).toFixed(1)} kB`).join(', ')
  if (quick) return { problems, notes: [sizes, 'the second build is left out of the quick run'] }
  mkdirSync(join(root, 'build/again'), { recursive: true })
  const again = $({ cwd: root, quiet: true })
  for (const target of targets) {
    const out = `build/again/sotto.${target}.wasm`
    await again`${process.execPath} node_modules/assemblyscript/bin/asc.js --config asconfig.json --target ${target} --outFile ${out} --textFile build/again/sotto.${target}.wat`
    if (Buffer.compare(builds[target], readFileSync(join(root, out))) !== 0) {
      problems.push(`sotto.${target}.wasm expected the same bytes from a second build, got others (${out}); if sources changed since, run npm run build`)
    }
  }
  return { problems, notes: [sizes, 'built twice'] }
}
