// What every part of the bench is given: engines, peers, sizes, and a way to run a job in an engine of its own.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** Engine for which the goals are stated. */
const GOALS_ON = 24

/** A job that takes longer is stopped. */
const LIMIT_MS = 15 * 60_000

const versionOf = (path) => spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim().replace(/^v/, '') || undefined

/** Node 24 first, where it is, then the Node of this process. `goals`: the goals are stated for it. */
function engines() {
  const own = { path: process.execPath, version: process.versions.node }
  const installed = join(root, 'bench/node_modules/node24/bin/node')
  const found = existsSync(installed) ? [{ path: installed, version: versionOf(installed) }] : []
  const all = [...found.filter(({ version }) => version && version !== own.version), own]
  return all.map(({ path, version }) => ({ path, version, name: `Node ${version}`, goals: version.startsWith(`${GOALS_ON}.`) }))
}

/** Pythons with PyTorch, transformers and PEFT: SOTTO_PYTHON, one or several; else python3. */
function pythons() {
  const paths = process.env.SOTTO_PYTHON?.split(delimiter).filter(Boolean) ?? ['python3']
  return paths.flatMap((path) => {
    const { status, stdout } = spawnSync(path, ['-c', 'import peft, torch, transformers; print(torch.__version__)'], { encoding: 'utf8' })
    return status === 0 ? [{ path, torch: stdout.trim() }] : []
  })
}

/** Processor, memory and instruction sets that decide how fast a library can be. */
export function machine() {
  const [{ model } = { model: 'unknown processor' }] = cpus()
  let flags = []
  try {
    const all = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].trim().split(/\s+/) ?? []
    flags = ['sse4_1', 'avx', 'fma', 'avx2', 'avx_vnni', 'avx512f', 'avx512_vnni', 'amx_int8'].filter((flag) => all.includes(flag))
  } catch { /* not Linux: the model says it */ }
  return { platform: `${process.platform} ${process.arch}`, cpu: model, cores: cpus().length, flags, memory_gb: Math.round(totalmem() / 1e9), load: loadavg()[0] }
}

/** Environment of a peer that is to use one thread. */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

/** Environment that limits PyTorch to vectors of 256 bits. */
export const AVX2 = {
  ATEN_CPU_CAPABILITY: 'avx2', ONEDNN_MAX_CPU_ISA: 'AVX2', DNNL_MAX_CPU_ISA: 'AVX2', MKL_ENABLE_INSTRUCTIONS: 'AVX2', OPENBLAS_CORETYPE: 'Haswell',
}

/** Starts a process whose lines of output are JSON. */
export function start(command, args, { env = {}, cwd = root } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...ONE_THREAD, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = [], waiting = []
  let rest = '', errors = '', ended
  const wake = () => { for (const resolve of waiting.splice(0)) resolve() }
  const timer = setTimeout(() => {
    errors += `\nstopped: longer than ${LIMIT_MS / 60_000} minutes`
    child.kill('SIGKILL')
  }, LIMIT_MS)
  child.stdin.on('error', () => {}) // a process that died says why on stderr
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop()
    lines.push(...parts.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)))
    wake()
  })
  child.stderr.setEncoding('utf8').on('data', (text) => { errors = (errors + text).slice(-4000) })
  child.on('error', (error) => { errors += error.message })
  child.on('close', (code, signal) => {
    clearTimeout(timer)
    ended = code ?? signal ?? 1
    wake()
  })
  return {
    /** The next line, or an error where the process ended before it. */
    async next() {
      while (lines.length === 0 && ended === undefined) await new Promise((resolve) => waiting.push(resolve))
      if (lines.length > 0) return lines.shift()
      throw new Error(`${[command, ...args].map((word) => word.replace(root, '.')).join(' ')} ended with ${ended}:\n${errors.trim().split('\n').slice(-6).join('\n')}`)
    },
    say: (word) => { child.stdin.write(`${word}\n`) },
    stop: () => { child.kill('SIGKILL') },
  }
}

/**
 * @param {{ quick?: boolean, log?: (line: string) => void, peers?: boolean }} options - quick: sizes that show that the bench
 *   works, too small for its goals; peers false: as if none were installed
 */
export function makeContext({ quick = false, log = () => {}, peers = true } = {}) {
  const nodes = engines()
  return {
    root, quick, log, nodes,
    /** The engine of the goals; where it is not installed, this one. */
    node: nodes.find((node) => node.goals) ?? nodes[0],
    pythons: peers ? pythons() : [],
    /** The JavaScript peers are installed. */
    peers: peers && existsSync(join(root, 'bench/node_modules/@jax-js/jax')) && existsSync(join(root, 'bench/node_modules/@tensorflow/tfjs-core')),
    out: (name) => join(root, 'bench/out', quick ? `quick-${name}` : name),
    start,
    /** Runs bench/jobs/NAME.mjs in an engine; gives the object that it prints. */
    async job(node, name, settings = {}) {
      const child = start(node.path, [join(root, 'bench/jobs', `${name}.mjs`), JSON.stringify({ quick, ...settings })])
      try {
        return await child.next()
      } finally {
        child.stop()
      }
    },
  }
}

/** What to do where something is not installed. */
export const GET = {
  node24: 'Node 24 is not installed: npm ci --ignore-scripts --prefix bench',
  peers: 'not installed: npm ci --ignore-scripts --prefix bench',
  python: 'no Python with PyTorch found: bash scripts/golden/setup.sh FOLDER, then SOTTO_PYTHON=FOLDER/bin/python',
}
