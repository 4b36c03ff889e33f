/**
 * `sotto doctor`: what this runtime can do, and whether it computes the same bits as all others.
 * @module
 */
import { Command } from 'commander'
import type { Host } from '../host.ts'
import { node } from '../runtime/node.ts'
import { diagnose } from '../selftest/diagnose.ts'
import type { Diagnosis } from '../selftest/diagnose.ts'
import { FAILED } from './failure.ts'
import { textTable } from './text-table.ts'

const MORE = `
Asks this thread for gradual underflow, the sign of zero, vectors, rounding and memory that grows; computes a fixed
programme (with --full the one of the runtime matrix) and compares the hash of each part with the committed one.
Exit code 0: this runtime computes the same bits as all others. 1: it does not, and the parts that differ are named.`

/** The command. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('what this runtime can do, and whether it computes the same bits as all others')
    .option('--full', 'the whole programme, some seconds, instead of a short one')
    .option('--json', 'the findings as JSON on standard output')
    .addHelpText('after', MORE)
    .action(async (flags: { readonly full?: boolean, readonly json?: boolean }) => {
      const found = await diagnose(here(), { level: flags.full ? 'full' : 'quick' })
      process.stdout.write(flags.json ? `${JSON.stringify(found, undefined, 2)}\n` : `${report(found)}\n`)
      if (!found.fit) process.exitCode = FAILED
    })
}

/** The host under the name of the runtime that it is: the command runs in others that understand Node's modules. */
function here(): Host {
  const { bun, deno } = process.versions as Record<string, string | undefined>
  return bun ? { ...node(), name: 'bun', version: bun } : deno ? { ...node(), name: 'deno', version: deno } : node()
}

/** The findings as a table, and a last line that says what follows from them. */
export function report({ runtime, version, simd, sharedMemory, threads, memory, randomness, builds, selfTest, speed, fit }: Diagnosis): string {
  const yes = (value: boolean) => value ? 'yes' : 'no'
  const wrong = builds.flatMap(({ variant, missing, faults }) => missing !== undefined || faults.length > 0
    ? [[`build ${variant}`, missing !== undefined ? `cannot be used: ${missing}` : `wrong: expected ${faults.join('; and ')}`]] : [])
  const fine = builds.filter(({ missing, faults }) => missing === undefined && faults.length === 0).map(({ variant }) => variant)
  const rows = [
    ['runtime', `${runtime} ${version}`.trim()],
    ['SIMD', yes(simd)],
    ['memory shared by threads', yes(sharedMemory)],
    ['threads', String(threads)],
    ['memory grows to', `${memory >= 2 ** 30 ? 'at least ' : ''}${memory / 2 ** 20} MiB`],
    ['fresh random bytes', yes(randomness)],
    ['builds that compute right', fine.join(', ') || 'none'], ...wrong,
    ...selfTest === undefined ? [] : [
      ['build chosen', selfTest.variant],
      ['numerics version', String(selfTest.numerics)],
      [`self-test (${selfTest.level}, ${selfTest.parts.length} parts)`, selfTest.hash],
      ['equal to the committed hash', selfTest.differing.length === 0 ? 'yes' : `no, expected ${selfTest.expected}`],
    ],
    ...speed === undefined ? [] : [['one product, one thread', `${speed.toFixed(1)} GFLOP/s`]],
  ]
  const width = Math.max(...rows.map(([title]) => title.length))
  const table = rows.map(([title, value]) => `${title.padEnd(width)}  ${value}`).join('\n')
  const differing = selfTest?.differing ?? []
  const parts = differing.length === 0 ? '' :
    `\n\n${textTable(['part that differs', 'hash here'], differing.map(name => [name, selfTest!.parts.find(part => part.name === name)!.hash.slice(0, 16)]))}`
  return `${table}${parts}\n\n${verdict(fit, randomness, differing.length)}`
}

function verdict(fit: boolean, randomness: boolean, differing: number): string {
  if (fit) return 'This runtime computes the same bits as all others.'
  if (!randomness) return 'This runtime has no random bytes fit for keys: it can compute, but nothing may be released with privacy.'
  return differing > 0 ? `This runtime computes other bits: ${differing} parts differ. Do not train with others on it, and report it.`
    : 'This runtime cannot compute: no build is fit for its arithmetic and memory.'
}
