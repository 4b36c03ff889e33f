/** A small experiment for reports, as plain data. */
import { gaussian, nonPrivate, poissonSampled } from '../../src/privacy/accountant/index.ts'
import { privacyStatement } from '../../src/report/privacy-statement.ts'
import type { Experiment, RunRecord } from '../../src/report/run.ts'

const HASH = 'ab'.repeat(32)

/** A run with made-up numbers. */
export function runRecord(name: string, kind: RunRecord['kind'], isPrivate: boolean, changes: Partial<RunRecord> = {}): RunRecord {
  const event = isPrivate ? poissonSampled({ samplingRate: 0.005, event: gaussian({ noiseMultiplier: 0.9 }) }) : nonPrivate()
  const rounds = Array.from({ length: 12 }, (_, i) => ({
    round: i + 1, rank: kind === 'full' ? undefined : kind === 'lora' ? 8 : 1 + i % 8, clip: 0.5, clients: 5, loss: 0.7 - i * 0.02,
    updateNorm: 0.4 + i * 0.01, clippedShare: 0.3, accuracy: i % 3 === 2 ? 0.7 + i * 0.01 : undefined,
    epsilon: isPrivate ? 0.5 + i * 0.05 : undefined, bytesDown: 1000, bytesUp: 700, seconds: i + 1,
    planHash: HASH, contributionHashes: [HASH], stateHash: HASH, event,
  }))
  return {
    name, method: kind, kind, maxRank: kind === 'full' ? undefined : 8, labels: ['ham', 'spam'], rounds, plannedRounds: 12, accuracy: 0.875,
    confusion: [[5, 1], [0, 2]],
    privacy: isPrivate ? privacyStatement({
      plan: {
        unit: 'client', adjacency: 'add-remove', delta: 1e-6, population: 1_000_000, noiseCohort: 5000, samplingRate: 0.005,
        noiseMultiplier: 0.9, clip: 0.5, epsilon: 2, plannedEpsilon: 1.9,
      },
      events: rounds.map(round => round.event), plannedRounds: 12, cohort: 5, noise: 'seeded',
    }) : null,
    bytesDown: 1000, bytesUp: 700, seconds: 12, threads: 2, cohort: 5, trained: 250, taskHash: HASH, finalHash: HASH,
    ledger: { entries: 25, head: HASH }, transcriptHead: HASH, ...changes,
  }
}

/** Three runs over the same data. */
export function experiment(changes: Partial<Experiment> = {}): Experiment {
  return {
    name: 'mail', model: 'tiny-bert',
    data: {
      clients: 20, examples: 100, examplesPerClient: [2, 4, 5, 6, 9], labelShares: { ham: 0.7, spam: 0.3 }, clientsWithAllLabels: 18,
      labels: ['ham', 'spam'], test: 8, testShares: { ham: 0.75, spam: 0.25 }, heldOut: 'whole clients that training never saw', nearDuplicatesInTraining: 0,
    },
    runs: [runRecord('plain', 'lora', false), runRecord('dp-lora', 'lora', true), runRecord('dp-dylora', 'dylora', true)],
    left: [], versions: { sotto: '0.1.0', runtime: 'node 20' }, ...changes,
  }
}
