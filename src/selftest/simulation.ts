/**
 * A complete simulated training: clients, plans, contributions, noise, releases, a ledger, evaluation.
 * @module
 */
import { memorySource } from '../checkpoint/source.ts'
import type { Client, Example } from '../data/example.ts'
import type { Host } from '../host.ts'
import { random } from '../random.ts'
import { simulate } from '../simulation/simulate.ts'
import type { SimulationOptions } from '../simulation/options.ts'
import { bertFiles } from './models.ts'
import type { Section } from './section.ts'

const SPAM = 'win free money click now prize offer cash'.split(' '), HAM = 'meeting tomorrow reply mailing list patch review lunch'.split(' ')
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...SPAM, ...HAM, 'the', 'of', '##s', '!', '.']

/** The files of the model that is trained: a folder that a runtime's threads can read holds these. */
export function simulationFiles(): Record<string, Uint8Array | string> {
  return {
    ...bertFiles({ width: 16, inner: 28, heads: 2, vocabulary: VOCABULARY.length, positions: 20 }),
    'vocab.txt': `${VOCABULARY.join('\n')}\n`,
  }
}

function examples(label: string, count: number): Example[] {
  const source = random('selftest texts', label)
  return Array.from({ length: count }, () => {
    const spam = source.below(2) === 1
    const words = Array.from({ length: 3 + source.below(6) }, () => {
      const list = (source.below(8) === 0) === spam ? HAM : SPAM
      return list[source.below(list.length)]
    })
    return { label: spam ? 'spam' : 'ham', text: `The ${words.join(' ')}!` }
  })
}

function settings(host: Host, model: string, threads: number): Omit<SimulationOptions, 'method' | 'rounds'> {
  return {
    host, threads, cohort: 5, seed: 11,
    task: { model, labels: ['ham', 'spam'], lora: { rank: 4, alpha: 8, sites: ['query', 'value'], seed: 7 } },
    clients: Array.from({ length: 14 }, (_, i) => ({ id: `client ${i}`, examples: examples(`client ${i}`, 2 + i % 4) } satisfies Client)),
    test: examples('test', 24),
    local: { epochs: 2, batchSize: 2, learningRate: 0.1, momentum: 0.5, maxGradientNorm: 1, dropout: 0.1 },
    server: { optimizer: 'adam', learningRate: 0.02 },
  }
}

const privacy = { unit: 'client', adjacency: 'add-remove', delta: 1e-6, population: 100_000, noiseCohort: 1000, clip: 0.3 } as const

function training(name: string, rounds: number, changes: (base: Omit<SimulationOptions, 'method' | 'rounds'>) => Omit<SimulationOptions, 'rounds'>): Section {
  return { name: `simulation/${name}`, level: 'full', async run({ host, threads, folder }, sink) {
    const files = memorySource(simulationFiles())
    // threads read the files by themselves; alone, no runtime needs any
    const { threads: _, ...alone } = { ...host, folder: () => files }
    const base = threads > 1 && folder !== undefined ? settings(host, folder, threads) : settings(alone, 'selftest', 1)
    const run = await simulate({ ...changes(base), rounds }).result()
    for (const round of run.rounds) {
      sink.text(round.planHash, ...round.contributionHashes, round.stateHash).f64(round.loss, round.updateNorm, round.clip, round.epsilon ?? -1)
    }
    sink.text(run.finalHash).f64(run.accuracy, run.epsilon ?? -1).i32(Int32Array.from(run.confusion.flat()))
  } }
}

export const simulation: readonly Section[] = [
  training('dp-dylora', 5, base => ({ ...base, method: { kind: 'dylora' }, privacy: { ...privacy, noiseMultiplier: 0.8 } })),
  training('dp-lora int8, adaptive clip', 3, base => ({
    ...base, method: { kind: 'lora', factors: 'alternate' }, task: { ...base.task, format: 'int8' },
    privacy: { ...privacy, epsilon: 3, adaptiveClip: { quantile: 0.5, rate: 0.3 } },
  })),
  training('full', 2, ({ task: { lora: _, ...task }, ...base }) => ({ ...base, task, method: { kind: 'full' }, server: { optimizer: 'sgd', learningRate: 1 } })),
]
