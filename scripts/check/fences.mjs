// The examples of README.md and docs/ run as a reader would run them: against the built package, in a folder of their
// own where `sotto` and the packages of this project are installed (by links).
//
// Fences tagged ts, js and sh run, in the order of the page; the fences of one page share a folder, so that a later
// one finds the files of an earlier one. A comment on the line before a fence steers it:
//   <!-- no-run: reason -->   is not run, and the reason is shown
//   <!-- run: slow -->        runs in the full test run only
//   <!-- run: continues -->   runs after the code of the ts or js fence before it, in one file
//   <!-- file: NAME -->       is written to a file of the folder (any tag)
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { transform } from 'esbuild'
import { $ } from 'zx'
import { read } from './files.mjs'

export const title = 'the examples of README.md and docs/ run'

const languages = { ts: 'ts', typescript: 'ts', js: 'js', javascript: 'js', mjs: 'js', sh: 'sh', bash: 'sh', shell: 'sh', console: 'sh' }

/**
 * @typedef {object} Fence
 * @property {string} path
 * @property {number} line - of the opening ```
 * @property {string} language - first word after ```
 * @property {string} code
 * @property {string} [noRun] - reason
 * @property {boolean} slow
 * @property {boolean} continues
 * @property {string} [file]
 */

/** The code fences of a page. @returns {Fence[]} */
export function fencesOf(path, text) {
  const fences = [], lines = text.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const open = /^(\s*)(`{3,}|~{3,})\s*([\w-]*)/.exec(lines[i])
    if (!open) continue
    const [, indent, marks, language] = open
    const start = i
    for (i++; i < lines.length && !(lines[i].trim().startsWith(marks) && /^[`~]+$/.test(lines[i].trim())); i++);
    if (i === lines.length) throw new Error(`${path}:${start + 1} expected a line ${marks} that closes the fence, got the end of the page`)
    const above = lines.slice(0, start).findLast((line) => line.trim() !== '') ?? ''
    const comment = (word) => new RegExp(`^\\s*<!-- *${word}: *(.+?) *-->\\s*$`).exec(above)?.[1]
    fences.push({
      path, line: start + 1, language,
      code: lines.slice(start + 1, i).map((line) => line.startsWith(indent) ? line.slice(indent.length) : line).join('\n') + '\n',
      noRun: comment('no-run'), slow: comment('run') === 'slow', continues: comment('run') === 'continues', file: comment('file'),
    })
  }
  return fences
}

/** The commands of a shell fence: continued lines joined, comments and prompts left out. */
export function commandsOf(code) {
  return code.replaceAll('\\\n', ' ').split('\n').map((line) => line.replace(/^\s*\$ /, '').trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

/** An empty folder in which `sotto` and the packages of the project can be imported, and `npx sotto` runs. */
export function exampleFolder(root) {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-examples-'))
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'sotto') symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  symlinkSync(root, join(modules, 'sotto'))
  // the model folder that the examples name: a small one
  mkdirSync(join(folder, 'models'))
  symlinkSync(join(root, 'test/fixtures/tiny-bert'), join(folder, 'models/all-MiniLM-L6-v2'))
  if (existsSync(join(root, 'dist/cli/main.js'))) symlinkSync(join(root, 'dist/cli/main.js'), join(modules, '.bin/sotto'))
  writeFileSync(join(folder, 'package.json'), '{ "name": "examples", "private": true, "type": "module" }\n')
  return folder
}

/**
 * Runs the fences of one page.
 *
 * @param {Fence[]} fences @param {string} folder - see {@link exampleFolder} @param {{ quick?: boolean }} [options]
 * @returns {Promise<{ problems: string[], notes: string[], ran: number }>}
 */
export async function runFences(fences, folder, { quick = false } = {}) {
  const problems = [], notes = []
  let ran = 0, before = ''
  for (const each of fences) {
    const fence = each.continues ? { ...each, code: before + each.code } : each
    const where = `${fence.path}:${fence.line}`
    const language = languages[fence.language]
    if (fence.file !== undefined) {
      const file = resolve(folder, fence.file)
      if (!file.startsWith(folder + sep)) problems.push(`${where} expected a file below the folder of the example, got ${fence.file}`)
      else {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, fence.code)
      }
    } else if (fence.noRun !== undefined) notes.push(`${where} not run: ${fence.noRun}`)
    else if (language !== undefined && fence.slow && quick) notes.push(`${where} is left out of the quick run`)
    else if (language !== undefined) {
      const problem = language === 'sh' ? await runShell(fence, folder) : await runScript(fence, folder, language)
      if (problem !== undefined) problems.push(`${where} ${problem}`)
      if (language !== 'sh') before = fence.code
      ran++
    }
  }
  return { problems, notes, ran }
}

async function runScript(fence, folder, language) {
  const name = `example-${fence.path.replace(/\W+/g, '-')}-${fence.line}`
  let { code } = fence
  if (language === 'ts') {
    try {
      code = (await transform(code, { loader: 'ts', format: 'esm', target: 'node20' })).code
    } catch (error) {
      return `expected TypeScript, got ${error.message}`
    }
    writeFileSync(join(folder, `${name}.ts`), fence.code)
  }
  writeFileSync(join(folder, `${name}.mjs`), code)
  return outcome(await limited(fence, folder)`${process.execPath} ${name}.mjs`)
}

async function runShell(fence, folder) {
  for (const command of commandsOf(fence.code)) {
    if (!/^(npx sotto|node)( |$)/.test(command)) {
      return `runs "${command}"; a fence that runs has only "npx sotto ..." and "node ..." (put <!-- no-run: reason --> before the others)`
    }
    // npx finds node_modules/.bin/sotto; it must not ask a registry for a package of that name
    const problem = outcome(await limited(fence, folder)`bash -c ${command}`)
    if (problem !== undefined) return `${command}: ${problem}`
  }
}

const limited = (fence, cwd) => $({
  cwd, nothrow: true, quiet: true, stdio: ['ignore', 'pipe', 'pipe'], timeout: fence.slow ? '900s' : '120s',
  env: { ...process.env, npm_config_offline: 'true', npm_config_yes: 'false', FORCE_COLOR: '0' },
})

function outcome(run) {
  if (run.exitCode === 0) return undefined
  const limit = run.signal === null ? '' : ` (stopped by ${run.signal}: examples may take 2 minutes, those with <!-- run: slow --> 15)`
  return `expected exit code 0, got ${run.exitCode}${limit}:\n${`${run.stdout}${run.stderr}`.trim().split('\n').slice(-12).map((line) => `    ${line}`).join('\n')}`
}

/** Type-checks what was written as TypeScript, as a consumer of the package would. */
async function typeProblems(folder, root) {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { target: 'ES2022', module: 'NodeNext', lib: ['ES2022', 'DOM'], types: ['node'], strict: true, noEmit: true, skipLibCheck: true, moduleDetection: 'force' },
    include: ['example-*.ts'],
  }))
  const run = await $({ cwd: folder, nothrow: true, quiet: true })`${process.execPath} ${join(root, 'node_modules/typescript/bin/tsc')} -p . --pretty false`
  return run.exitCode === 0 ? [] : run.stdout.trim().split('\n').map((line) => `example does not type-check: ${line}`)
}

export async function check({ root, quick }) {
  const pages = await read(root, 'README.md', 'docs/**/*.md')
  const total = { problems: [], notes: [] }
  let ran = 0
  for (const { path, text } of pages) {
    const folder = exampleFolder(root)
    try {
      const fences = fencesOf(path, text)
      const result = await runFences(fences, folder, { quick })
      total.problems.push(...result.problems)
      total.notes.push(...result.notes)
      ran += result.ran
      if (fences.some((fence) => languages[fence.language] === 'ts' && fence.noRun === undefined && !(quick && fence.slow))) {
        total.problems.push(...await typeProblems(folder, root))
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return { problems: total.problems, notes: [`${ran} examples of ${pages.length} pages`, ...total.notes] }
}
