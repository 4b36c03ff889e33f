/**
 * `sotto simulate CONFIG`: federated training with simulated clients, and a folder with its models and report.
 * @module
 */
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Plain } from '../canonical.ts'
import { count, duration } from '../report/format.ts'
import { results, runFolder } from '../report/run-folder.ts'
import type { Experiment } from '../report/run.ts'
import { node } from '../runtime/node.ts'
import { readConfig } from './config.ts'
import type { Config } from './config.ts'
import { readTexts } from './data.ts'
import { InputError, INTERRUPTED } from './failure.ts'
import { watchInterrupt } from './interrupt.ts'
import { checkOutFolder, removeDraft } from './out-folder.ts'
import { openProgress } from './progress.ts'
import { prepare, runAll } from './run-all.ts'
import type { TranscriptChoice } from './run-all.ts'
import { runTable } from './run-table.ts'
import { packageVersion } from './version.ts'

interface SimulateFlags {
  readonly out?: string
  readonly json?: boolean
  readonly threads?: number
  readonly rounds?: number
  readonly seed?: number
  readonly run?: readonly string[]
  readonly quiet?: boolean
  readonly transcript: TranscriptChoice['keep']
}

const EXAMPLE = `
CONFIG is a JSON file; paths in it are relative to its folder. The smallest one with privacy:
  { "model": "models/all-MiniLM-L6-v2",
    "data": { "train": "mail.jsonl", "heldOut": { "fraction": 0.2 } },
    "lora": { "rank": 8, "alpha": 16, "sites": ["query", "value"] }, "method": "dylora",
    "rounds": 100, "cohort": 20,
    "local": { "epochs": 1, "batchSize": 8, "learningRate": 0.1 },
    "server": { "optimizer": "adam", "learningRate": 0.01 },
    "privacy": { "unit": "client", "adjacency": "add-remove", "epsilon": 2, "delta": 1e-6,
                 "population": 1000000, "noiseCohort": 5000, "clip": 0.5 } }
docs/commands.md describes every key. Ctrl-C stops after the round under way and writes what there is; again, ends at once.`

/** The command. */
export function simulateCommand(): Command {
  return new Command('simulate')
    .description('train with simulated clients, with or without privacy, and write models and a report')
    .argument('<config>', 'settings, a JSON file')
    .option('--out <folder>', 'where results go (default: runs/NAME)')
    .option('--run <names...>', 'only these runs of the settings')
    .option('--rounds <n>', 'rounds of every run, instead of the settings\'', integer(1))
    .option('--seed <n>', 'seed of every run, instead of the settings\'', integer(0))
    .option('--threads <n>', 'threads (default: as many as the machine runs at once); the result does not depend on it', integer(1))
    .addOption(new Option('--transcript <kind>', 'what sotto verify can replay later: everything, hashes, or nothing; auto: everything up to 256 MiB a run')
      .choices(['auto', 'full', 'hashes', 'none']).default('auto'))
    .option('--json', 'print the results as JSON')
    .option('--quiet', 'no progress')
    .addHelpText('after', EXAMPLE)
    .action(simulateAction)
}

async function simulateAction(path: string, flags: SimulateFlags): Promise<void> {
  const config = withFlags(await readConfig(path), flags)
  const out = await checkOutFolder(flags.out ?? join('runs', config.name))
  const host = node()
  const progress = flags.quiet ? openProgress(config.runs.length, silent()) : openProgress(config.runs.length)
  const interrupt = watchInterrupt(
    () => progress.say('stopping after this round, then writing what there is; Ctrl-C again ends at once'),
    () => removeDraft(out),
  )
  try {
    progress.now('reading texts')
    const texts = await readTexts(host, config)
    progress.now('loading the model')
    const prepared = await prepare(host, config, texts)
    const { summary } = texts
    progress.say(`${config.name}: ${count(summary.clients)} clients with ${count(summary.examples)} texts, ${count(summary.test)} texts held out; ` +
      `${config.runs.length === 1 ? '1 run' : `${config.runs.length} runs`}`)
    const { finished, left, failure } = await runAll(config, prepared, {
      begin: (run, number) => progress.begin(run, number), round: report => progress.round(report), stopped: interrupt.asked,
    }, { keep: flags.transcript, model: modelName(config.runs[0].model), sotto: packageVersion(), say: progress.say })
    progress.end()
    if (finished.length === 0) {
      if (failure !== undefined) throw failure
      progress.say('stopped before a round was done; nothing was written')
      process.exitCode = INTERRUPTED
      return
    }
    const experiment: Experiment = {
      name: config.name, model: modelName(config.runs[0].model), data: summary, runs: finished.map(({ record }) => record), left,
      versions: { sotto: packageVersion(), runtime: `${host.name} ${host.version}` },
    }
    progress.now('writing')
    await host.save!(out, runFolder(experiment, finished.map(({ files }) => files), settingsAt(out, config, flags)))
    progress.end()
    const place = relative('', out) || '.'
    if (flags.json) process.stdout.write(`${JSON.stringify({ ...results(experiment), out }, null, 2)}\n`)
    else {
      const seconds = finished.reduce((sum, { record }) => sum + record.seconds, 0)
      process.stdout.write(`\n${runTable(experiment)}\n\n${finished.length === 1 ? 'Done' : 'All done'} in ${duration(seconds)}. Report: ${join(place, 'report.html')}\n`)
    }
    if (failure !== undefined) throw failure
    if (interrupt.asked()) process.exitCode = INTERRUPTED
  } finally {
    progress.end()
    interrupt.release()
  }
}

/** Flags take the place of settings; they are checked as settings are. */
function withFlags(config: Config, flags: SimulateFlags): Config {
  const names = config.runs.map(({ name }) => name)
  const unknown = flags.run?.find(name => !names.includes(name))
  if (unknown !== undefined) throw new InputError(`"--run" expected one of ${names.join(', ')}, got ${unknown}`)
  const runs = config.runs.filter(({ name }) => flags.run === undefined || flags.run.includes(name)).map(run => ({
    ...run, ...(flags.rounds !== undefined && { rounds: flags.rounds }), ...(flags.seed !== undefined && { seed: flags.seed }),
  }))
  return { ...config, runs, threads: flags.threads ?? config.threads }
}

/** The settings as they were used, paths relative to the folder that they are written to: `sotto simulate` takes them again. */
function settingsAt(out: string, { file, name, source }: Config, { rounds, seed, run: only }: SimulateFlags): Plain {
  type Settings = { readonly [key: string]: Plain }
  const moved = (path: Plain): Plain => relative(out, resolve(dirname(file), String(path))).split(sep).join('/') || '.'
  const withPaths = (settings: Settings): Settings => ({
    ...settings, ...('model' in settings && { model: moved(settings['model']) }),
    ...(rounds !== undefined && 'rounds' in settings && { rounds }), ...(seed !== undefined && 'seed' in settings && { seed }),
  })
  const { runs, data, ...rest } = source as Settings & { readonly data: Settings, readonly runs?: readonly Settings[] }
  return {
    name, ...withPaths(rest), ...(seed !== undefined && { seed }),
    data: { ...data, ...Object.fromEntries(['train', 'test'].filter(key => key in data).map(key => [key, moved(data[key])])) },
    ...(runs && { runs: runs.filter(run => only === undefined || only.includes(String(run['name']))).map(withPaths) }),
  }
}

/** A model folder's name; packages keep theirs one or two folders up. */
function modelName(folder: string): string {
  const name = basename(folder)
  return ['dist', 'model', 'models', 'build'].includes(name) ? basename(dirname(folder)) : name
}

/** A whole number for commander. */
export function integer(least: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`expected an integer of at least ${least}`)
    return value
  }
}

/** A stream that shows nothing. */
export function silent(): NodeJS.WriteStream {
  return { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream
}
