#!/usr/bin/env node
/**
 * The command line: `sotto simulate`, `sotto budget`, `sotto audit`, `sotto doctor`, `sotto quantize`,
 * `sotto verify`.
 * @module
 */
import { Command, CommanderError } from 'commander'
import { auditCommand } from './audit.ts'
import { budgetCommand } from './budget.ts'
import { doctorCommand } from './doctor.ts'
import { BAD_INPUT, DONE, describeError, exitCodeOf, InputError } from './failure.ts'
import { quantizeCommand } from './quantize.ts'
import { simulateCommand } from './simulate.ts'
import { verifyCommand } from './verify.ts'
import { packageVersion } from './version.ts'

/** Each command is a file. */
const COMMANDS = [simulateCommand, budgetCommand, auditCommand, verifyCommand, doctorCommand, quantizeCommand]

async function main(): Promise<void> {
  const program = new Command('sotto')
    .description('Private federated fine-tuning of transformers, with the same bits everywhere.')
    .version(packageVersion(), '--version')
  for (const make of COMMANDS) program.addCommand(make())
  for (const command of [program, ...program.commands]) {
    command.exitOverride().allowExcessArguments(false).configureOutput({ writeErr: () => {} })
  }
  try {
    await program.parseAsync()
  } catch (thrown) {
    const error = thrown instanceof CommanderError && thrown.code === 'commander.help'
      ? new InputError(`command expected one of ${program.commands.map(command => command.name()).join(', ')}, got none; --help tells more`) : thrown
    const code = exitCodeOf(error)
    if (code !== DONE) process.stderr.write(`${describeError(error)}\n`)
    if (code !== DONE && code !== BAD_INPUT && process.env['SOTTO_STACK'] && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    process.exitCode = code
  }
}

// `sotto budget | head` closes the pipe early: that is no failure
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(DONE)
  throw error
})

await main()
