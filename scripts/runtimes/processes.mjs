// Runtimes that run a script as a process: Node, Deno, Bun, and the arm64 builds of Node and Bun under emulation.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { once, packaged, program, versionOf } from './find.mjs'
import { ended, restarting, start, within, withFolder } from './process.mjs'
import { resultOf, stage } from './stage.mjs'

const HOW = 'run node scripts/runtimes/install.mjs'

/**
 * @param {string} name
 * @param {() => string[] | { missing: string }} find - the command that takes a script
 * @param {{ before?: string[], slow?: number }} [options] - before: arguments before the flags and the script;
 *   slow: how many times as long as usual it may take
 * @returns {import('./index.mjs').Runtime}
 */
function processRuntime(name, find, { before = [], slow = 1 } = {}) {
  const found = once(() => {
    const command = find()
    if ('missing' in command) return command
    const version = versionOf([...command, '--version'])
    return version === undefined
      ? { missing: `${command.join(' ')} --version does not run here` }
      : { path: command.at(-1), command, version }
  })
  return Object.freeze({
    name, find: found,
    run: (application, { timeout = 180, flags = [], env = {} } = {}) => restarting(name, () => withFolder(async (folder) => {
      const { command, missing } = found()
      if (missing) throw new Error(`${name} expected to be installed: ${missing}`)
      await stage(folder, application, { ground: 'process.mjs' })
      const program = start([...command, ...before, ...flags, join(folder, 'run/main.js')], {
        cwd: folder, env: { ...process.env, NO_COLOR: '1', HOME: folder, TMPDIR: folder, DENO_DIR: join(folder, 'deno'), NODE_OPTIONS: '', ...env },
      })
      try {
        const how = await within(timeout * slow, `${name}`, program.ended)
        const answer = join(folder, 'result.json')
        if (!existsSync(answer)) throw ended(name, how)
        return resultOf(name, readFileSync(answer, 'utf8'))
      } catch (error) {
        if (program.output() !== '') error.message += `\n${program.output()}`
        throw error
      } finally {
        await program.end()
      }
    })),
  })
}

const orMissing = (path, missing) => path === undefined ? { missing } : [path]

/** The Node that runs this, where it has the version; else the installed one. */
function node(major) {
  return orMissing(process.versions.node.split('.')[0] === String(major) ? process.execPath : packaged(`node_modules/node${major}/bin/node`), HOW)
}

const SYSROOT = '/usr/aarch64-linux-gnu'

function emulated(path) {
  if (process.arch === 'arm64') return orMissing(packaged(path), HOW)
  const qemu = program('qemu-aarch64-static') ?? program('qemu-aarch64')
  if (qemu === undefined || !existsSync(join(SYSROOT, 'lib'))) {
    return { missing: 'apt install qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross libatomic1-arm64-cross' }
  }
  const binary = packaged(path)
  return binary === undefined ? { missing: HOW } : [qemu, '-L', SYSROOT, binary]
}

/** The Node that runs this, of whatever version. */
export const current = processRuntime('node', () => [process.execPath])

export const processRuntimes = [
  ...[20, 22, 24, 26].map((major) => processRuntime(`node${major}`, () => node(major))),
  processRuntime('deno', () => orMissing(program(process.env.DENO) ?? packaged('node_modules/@deno/linux-x64-glibc/deno') ?? program('deno'), HOW),
    { before: ['run', '--no-config', '--no-lock', '--no-prompt', '--allow-all'] }),
  processRuntime('bun', () => orMissing(program(process.env.BUN) ?? packaged('node_modules/@oven/bun-linux-x64/bin/bun') ?? program('bun'), HOW)),
  processRuntime('node-arm64', () => emulated('arm64/node_modules/node26/bin/node'), { slow: 6 }),
  processRuntime('bun-arm64', () => emulated('arm64/node_modules/@oven/bun-linux-aarch64/bin/bun'), { slow: 6 }),
]
