/** The Python that has torch, transformers and peft, where there is one. */
import { spawnSync } from 'node:child_process'

/** SOTTO_PYTHON, or python3; undefined where it cannot import the modules. */
export function python(...modules: string[]): string | undefined {
  const path = process.env['SOTTO_PYTHON'] ?? 'python3'
  const found = spawnSync(path, ['-c', `import ${['sys', ...modules].join(', ')}`], { encoding: 'utf8' })
  return found.status === 0 ? path : undefined
}

/** Runs a script; its standard output, or an error with what it said. */
export function runPython(path: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(path, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`${args[0]} expected exit code 0, got ${status}: ${stderr}`)
  return stdout
}

/** Says in the test run's output that something was not tested, and why. */
export function skipAloud(what: string): void {
  console.log(`\nSKIPPED: ${what}`)
}
