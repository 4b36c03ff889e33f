// The settings of the demo, as `sotto simulate` takes them (docs/commands.md). Everything that is tuned is here.
//
// Budget: one million mailboxes could take part, 5,000 do in a round; the 332 mailboxes of the corpus stand in for
// them with cohorts of about `cohort`, and the noise is that of 5,000.

/** @param {{ model: string, train: string, test: string }} paths */
export const settings = ({ model, train, test }) => ({
  name: 'demo',
  model,
  // frozen weights in eight bits: exact integer products, half the time; full fine-tuning trains f32
  format: 'int8',
  data: { train, test },
  labels: ['ham', 'spam'],
  lora: { rank: 8, alpha: 16, sites: ['qkv', 'output'] },
  rounds: 20,
  cohort: 10,
  maxTokens: 48,
  local: { epochs: 1, batchSize: 4, learningRate: 0.5, maxExamples: 6, maxGradientNorm: 0.5 },
  server: { optimizer: 'adam', learningRate: 0.015 },
  privacy: {
    unit: 'client', adjacency: 'add-remove', epsilon: 2, delta: 1e-6, population: 1_000_000, noiseCohort: 5_000, clip: 0.3,
  },
  evaluateExamples: 100,
  seed: 1,
  noise: 'seeded',
  runs: [
    { name: 'lora', method: 'lora', privacy: null },
    { name: 'dp-lora', method: 'lora' },
    { name: 'dp-dylora', method: 'dylora' },
    { name: 'dp-full', method: 'full', format: null, local: { learningRate: 0.1 }, server: { optimizer: 'adam', learningRate: 0.002 } },
  ],
})
