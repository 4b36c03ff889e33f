/**
 * `sotto audit CONFIG`: attacks on trainings with these settings, with canaries and by membership inference; into the
 * folder of the run and its report.
 * @module
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { random } from '../random.ts'
import type { Client } from '../data/example.ts'
import { canaryText, withAudit } from '../report/membership.ts'
import type { AuditRecord, MembershipRecord } from '../report/membership.ts'
import { percent } from '../report/format.ts'
import { node } from '../runtime/node.ts'
import { auditTraining } from '../simulation/audit/canaries.ts'
import { membershipAttack } from '../simulation/audit/membership.ts'
import type { SimulationOptions } from '../simulation/options.ts'
import { readConfig } from './config.ts'
import type { Config } from './config.ts'
import { readTexts } from './data.ts'
import { InputError } from './failure.ts'
import { openProgress } from './progress.ts'
import { optionsOf } from './run-all.ts'
import { integer } from './simulate.ts'
import { textTable, wrap } from './text-table.ts'

interface AuditFlags {
  readonly out?: string
  readonly run?: string
  readonly canaries: number
  readonly people?: number
  readonly rounds?: number
  readonly references: number
  readonly randomLabels: number
  readonly threads?: number
  readonly seed?: number
  readonly json?: boolean
  readonly quiet?: boolean
}

const MORE = `
Three trainings (more with --references), all people in every round:
  canaries     people whose update is random and as long as may be, in or out by a coin: bounds epsilon from below
  membership   the model is trained on half of --people, without and with privacy; who was in?
Epsilon is here what these few people themselves are promised, not a deployment that the settings imitate. To promise so
much to so few takes so much noise that the private model learns little: privacy of this strength needs large cohorts.`

/** The command. */
export function auditCommand(): Command {
  return new Command('audit')
    .description('attack trainings with these settings, and show in the report what an attacker finds')
    .argument('<config>', 'settings, a JSON file, as of sotto simulate; one run must have privacy')
    .option('--out <folder>', 'folder of the run (default: runs/NAME)')
    .option('--run <name>', 'the run of the settings whose privacy is attacked (default: the first that has some)')
    .option('--canaries <n>', 'canary clients', integer(8), 500)
    .option('--people <n>', 'people of the membership attack; half of them are trained on (default: at most 80)', integer(8))
    .option('--rounds <n>', 'rounds of each training (default: as in the settings, at most 60)', integer(1))
    .option('--references <n>', 'models that the attacker trains on other halves', integer(0), 0)
    .option('--random-labels <share>', 'share of these people\'s labels that are made random', share, 0.5)
    .option('--threads <n>', 'threads; the result does not depend on it', integer(1))
    .option('--seed <n>', 'seed, instead of the settings\'', integer(0))
    .option('--json', 'print what audit.json gets')
    .option('--quiet', 'no progress')
    .addHelpText('after', MORE)
    .action(auditAction)
}

async function auditAction(path: string, flags: AuditFlags): Promise<void> {
  const config = await readConfig(path)
  const run = chosen(config, flags.run)
  const out = await checkFolder(flags.out ?? join('runs', config.name))
  const host = node()
  const progress = flags.quiet ? openProgress(3, silent()) : openProgress(3)
  try {
    progress.now('reading texts')
    const texts = await readTexts(host, config)
    const settings = optionsOf(host, run, texts, flags.threads ?? config.threads)
    const rounds = flags.rounds ?? Math.min(60, run.rounds)
    const seed = flags.seed ?? run.seed ?? 0
    const people = poolOf(texts.clients, flags.people ?? Math.min(80, texts.clients.length), texts.labels, flags.randomLabels, seed)
    const base: SimulationOptions = { ...settings, rounds, seed, noise: 'seeded', evaluateEvery: rounds, clients: people, cohort: people.length }
    progress.begin('canaries', 0)
    const { scores: _, ...canaries } = await auditTraining({
      simulation: { ...base, rounds: Math.min(rounds, 10), clients: people.slice(0, 24), cohort: Math.min(24, people.length), test: texts.test.slice(0, 50) },
      canaries: flags.canaries, onRound: report => progress.round(report),
    })
    const attack = async (title: string, number: number, simulation: SimulationOptions): Promise<MembershipRecord> => {
      progress.begin(title, number)
      return membershipAttack({ simulation, references: flags.references, onRound: report => progress.round(report) })
    }
    const { privacy: _privacy, ...open } = base
    const membership = { open: await attack('membership, not private', 1, open), private: await attack('membership, private', 2, base) }
    const audit: AuditRecord = {
      format: 'sotto-audit/1', run: run.name, randomLabels: flags.randomLabels, canaries, membership, notes: notes(membership.private),
    }
    progress.end()
    await writeInto(out, audit)
    if (flags.json) process.stdout.write(`${JSON.stringify(audit, null, 2)}\n`)
    else process.stdout.write(`${inWords(audit)}\n\nReport: ${join(relative('', out) || '.', 'report.html')}\n`)
  } finally {
    progress.end()
  }
}

function chosen({ runs }: Config, name: string | undefined): Config['runs'][number] {
  const paid = runs.filter(run => run.privacy !== undefined)
  const run = name === undefined ? paid[0] : paid.find(candidate => candidate.name === name)
  if (run !== undefined) return run
  throw new InputError(paid.length === 0 ? '"privacy" expected settings in at least one run, got none; without noise there is nothing to audit'
    : `"--run" expected one of ${paid.map(candidate => candidate.name).join(', ')}, got ${name}`)
}

/** A folder that `sotto simulate` wrote. */
async function checkFolder(path: string): Promise<string> {
  const folder = resolve(path)
  if (!await stat(join(folder, 'report.html')).then(entry => entry.isFile(), () => false)) {
    throw new InputError(`"--out" expected the folder of a run, with report.html in it, got "${path}"; run sotto simulate first`)
  }
  return folder
}

/** Some people, drawn by the seed, with a share of their labels replaced. */
function poolOf(clients: readonly Client[], size: number, labels: readonly string[], randomLabels: number, seed: number): readonly Client[] {
  const draw = random(seed, 'audit pool')
  if (clients.length < size) throw new InputError(`"--people" expected at most the ${clients.length} clients of the training texts, got ${size}`)
  return draw.shuffle([...clients]).slice(0, size).map(({ id, examples }) => ({
    id, examples: examples.map(({ text, label }) => ({ text, label: draw.uniform() < randomLabels ? labels[draw.below(labels.length)] : label })),
  }))
}

/** Each file is replaced at once or not at all; audit.json first, so that a report never shows what is not there. */
async function writeInto(folder: string, audit: AuditRecord): Promise<void> {
  const report = await readFile(join(folder, 'report.html'), 'utf8')
  const files = { 'audit.json': `${JSON.stringify(audit, null, 2)}\n`, 'report.html': withAudit(report, audit) }
  for (const [name, content] of Object.entries(files)) {
    const draft = join(folder, `${name}.writing-${process.pid}`)
    await writeFile(draft, content)
    await rename(draft, join(folder, name))
  }
}

function notes(attacked: MembershipRecord): string[] {
  const [{ members }] = attacked.attacks
  return [
    `Epsilon is what these ${members} people are promised by the noise on their own sum; for so few, so much noise leaves a model little to learn.`,
    'An attack that fails proves nothing: a better one may come. Only the curve «no attacker gets above» is a promise.',
  ]
}

/** The results on a terminal. */
function inWords({ canaries, membership }: AuditRecord): string {
  const cell = ({ value, low, high }: { value: number, low: number, high: number }, show: (x: number) => string) => `${show(value)} (${show(low)} to ${show(high)})`
  const rows = (['open', 'private'] as const).flatMap(key => membership[key].attacks.map(({ name, auc, rates }) => [
    `${key === 'open' ? 'not private' : 'private'}, ${name}`, cell(auc, x => x.toFixed(2)), ...rates.map(({ tpr }) => cell(tpr, percent)),
  ]))
  const { rates } = membership.private.attacks[0]
  return `\n${textTable(['attack', 'area (0.5: guessing)', ...rates.map(({ fpr }) => `found at ${percent(fpr)} false alarms`)], rows)}\n\n${wrap(canaryText(canaries))}`
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('expected a number from 0 to 1')
  return value
}

function silent(): NodeJS.WriteStream {
  return { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream
}
