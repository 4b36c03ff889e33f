// Builds everything: the WebAssembly module (three targets), the JavaScript and types of the package.
// `node scripts/build.mjs wasm` or `... js` builds one part.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, chmodSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules', name)
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })

/** Compiles one build of the module; of what the compiler says, all but a remark on its own optimiser. */
function compile(target) {
  const { status, stdout, stderr } = spawnSync(process.execPath,
    [bin('assemblyscript/bin/asc.js'), '--config', 'asconfig.json', '--target', target], { cwd: root, encoding: 'utf8' })
  const said = `${stdout}${stderr}`.replaceAll('Last converge was suboptimal.', '').trim()
  if (said !== '') console.error(said)
  if (status !== 0) throw new Error(`the compiler expected to build ${target}, but ended with ${status}; its message is above`)
}

export const targets = ['simd', 'shared', 'scalar']

export function buildWasm(only = targets) {
  mkdirSync(join(root, 'build/wat'), { recursive: true })
  mkdirSync(join(root, 'dist/wasm'), { recursive: true })
  for (const target of only) compile(target)
  // tests are bundled into build/test and find the module beside them, as dist/runtime finds dist/wasm
  mkdirSync(join(root, 'build/wasm'), { recursive: true })
  cpSync(join(root, 'dist/wasm'), join(root, 'build/wasm'), { recursive: true })
}

export function buildJs() {
  run(bin('typescript/bin/tsc'), '-p', 'tsconfig.leaves.json')
  if (existsSync(join(root, 'dist/cli/main.js'))) chmodSync(join(root, 'dist/cli/main.js'), 0o755)
}

/** The newest change below some folders, in milliseconds. */
export function newest(...folders) {
  let time = 0
  for (const folder of folders) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
    }
  }
  return time
}

/** True where the built files are newer than all sources. */
export function fresh() {
  const stamp = join(root, 'dist/runtime/node.js')
  const wasm = join(root, 'dist/wasm/sotto.scalar.wasm')
  return existsSync(stamp) && existsSync(wasm) &&
    statSync(stamp).mtimeMs > newest('src') && statSync(wasm).mtimeMs > newest('assembly')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const part = process.argv[2]
  if (part === undefined) rmSync(join(root, 'dist'), { recursive: true, force: true })
  if (part !== 'js') buildWasm(process.argv[3] ? [process.argv[3]] : targets)
  if (part !== 'wasm') buildJs()
}
