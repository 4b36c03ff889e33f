/**
 * `sotto verify RUN`: executes a finished training again from its transcript, and says where it differs.
 * @module
 */
import { Command } from 'commander'
import { duration } from '../report/format.ts'
import { verifyRun } from '../replay/index.ts'
import type { Verification } from '../replay/index.ts'
import { node } from '../runtime/node.ts'
import { FAILED, InputError, INTERRUPTED } from './failure.ts'
import { watchInterrupt } from './interrupt.ts'
import { openProgress } from './progress.ts'
import { findRuns, modelOf, textsOf } from './run-folders.ts'
import type { FoundRun } from './run-folders.ts'
import { integer } from './simulate.ts'
import { differenceText, verificationText } from './verify-text.ts'

interface VerifyFlags {
  readonly data?: true | readonly string[]
  readonly model?: string
  readonly client?: number
  readonly round?: number
  readonly run?: string
  readonly threads?: number
  readonly json?: boolean
  readonly quiet?: boolean
}

const MORE = `
RUN is a folder that sotto simulate wrote. Without --data everything is checked from the contributions on, in seconds: the
model's files are not even needed. With --data every client is trained again, which takes as long as the training did.
  sotto verify runs/mail                          from the contributions on
  sotto verify runs/mail --data                   all of it, with the data that the run's settings name
  sotto verify runs/mail --client 7 --round 3     one client of one round, trained again
Exit code 0: nothing differs. 1: something does; the first round, client and tensor are named. 2: there is nothing to verify.
docs/replay.md says what each check proves, and what it does not.`

/** The command. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('execute a finished training again from its transcript, and say where it differs')
    .argument('<run>', 'folder of a run, or of several')
    .option('--data [files...]', 'train the clients again, with these files of training and test texts (default: those of the settings)')
    .option('--model <folder>', 'the model that was fine-tuned (default: that of the settings, where it is there)')
    .option('--client <n>', 'train only this client again, by its number in the transcript; with --round', integer(0))
    .option('--round <n>', 'the round of --client', integer(1))
    .option('--run <name>', 'only this run, where the folder holds several')
    .option('--threads <n>', 'threads (default: as many as the machine runs at once); the result does not depend on it', integer(1))
    .option('--json', 'print what was found as JSON')
    .option('--quiet', 'no progress')
    .addHelpText('after', MORE)
    .action(verifyAction)
}

async function verifyAction(path: string, flags: VerifyFlags): Promise<void> {
  if ((flags.client === undefined) !== (flags.round === undefined)) {
    throw new InputError(`"--client" and "--round" expected both or neither, got only ${flags.client === undefined ? '--round' : '--client'}; a client is trained again in one round: name both`)
  }
  const runs = await findRuns(path, flags.run)
  if (flags.client !== undefined && runs.length > 1) throw new InputError(`"--run" expected one of ${runs.map(({ name }) => name).join(', ')} beside --client, got none`)
  const stream = flags.quiet ? { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream : process.stderr
  const progress = openProgress(runs.length, stream)
  const interrupt = watchInterrupt(() => progress.say('stopping after this round; Ctrl-C again ends at once'), () => {})
  const results: Verification[] = []
  const started = performance.now()
  try {
    for (const run of runs) {
      if (interrupt.asked()) break
      results.push(await verifyOne(run, flags, progress, interrupt.asked))
      if (!flags.json) {
        progress.end()
        process.stdout.write(`${results.length > 1 ? '\n' : ''}${verificationText(results[results.length - 1])}\n`)
      }
    }
  } finally {
    progress.end()
    interrupt.release()
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results.length === 1 && runs.length === 1 ? results[0] : results, null, 2)}\n`)
  else process.stdout.write(`\n${closing(results, runs.length)} ${duration((performance.now() - started) / 1000)}.\n`)
  if (results.some(({ verdict }) => verdict === 'differs')) process.exitCode = FAILED
  else if (interrupt.asked()) process.exitCode = INTERRUPTED
}

async function verifyOne(found: FoundRun, flags: VerifyFlags, progress: ReturnType<typeof openProgress>, stopped: () => boolean): Promise<Verification> {
  const host = node()
  const model = await modelOf(found, flags.model)
  const wanted = flags.data !== undefined || flags.client !== undefined
  if (wanted && model === undefined) throw new InputError('"--model" expected the folder of the model that was fine-tuned, got none where the settings say; clients are trained with it')
  progress.now(`${found.name}: reading`)
  const data = wanted ? await textsOf(host, found, Array.isArray(flags.data) ? flags.data as string[] : []) : undefined
  const begun = host.now()
  let told = 0
  return verifyRun({
    host, run: host.folder(found.folder), stopped,
    ...(model !== undefined && { model }), ...(data && { data: { clients: data.clients, test: data.test } }),
    ...(flags.client !== undefined && { only: { client: flags.client, round: flags.round! } }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    onRound(done, rounds) {
      const left = (host.now() - begun) / 1000 / done * (rounds - done)
      const line = `${found.name}  round ${done}/${rounds}  ${done === rounds ? 'finishing' : `${duration(left)} left`}`
      if (process.stderr.isTTY) progress.now(line)
      else if (done === rounds || done - told >= Math.ceil(rounds / 10)) {
        told = done
        progress.say(line)
      }
    },
  })
}

function closing(results: readonly Verification[], runs: number): string {
  const worst = results.find(({ verdict }) => verdict === 'differs')
  if (worst) return `Something differs: ${worst.run}, ${differenceText(worst.first!)}.`.replace(/\.\.$/, '.')
  return results.length < runs || results.some(({ verdict }) => verdict === 'stopped') ? 'Stopped early; nothing differs so far.' : 'Nothing differs.'
}
