// Small models: clients a CPU-second of logistic regression, beside pfl-research.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

export const title = 'Logistic regression 784 x 10, 60 samples a client, batches of 10: clients a CPU-second'

export async function rows({ job, node, out, quick, pythons, root, start }) {
  const clients = quick ? 5 : 100, data = out('logistic.bin')
  mkdirSync(dirname(data), { recursive: true })
  const ours = await job(node, 'logistic', { data, clients })
  const python = pythons.find(({ path }) => spawnSync(path, ['-c', 'import pfl']).status === 0)
  const row = {
    what: 'Sotto, with clip and rounding to integers', on: node.name, value: ours.clientsPerCpuSecond, unit: '', data: ours,
    note: `${ours.hashedPerCpuSecond.toFixed(0)} where each contribution is hashed too, as a transcript asks for`,
  }
  if (python === undefined) {
    return [row, { what: 'beside pfl-research', text: 'not there', note: 'no Python with pfl: pip install -r bench/requirements.txt', goal: { least: 10 } }]
  }
  const child = start(python.path, [`${root}/bench/peers/pfl_logistic.py`, data, '--clients', String(clients)])
  try {
    const theirs = await child.next()
    // one client's update, by both: the same data in the same order
    const apart = Math.abs(theirs.norm - ours.norm) / theirs.norm
    return [
      row,
      { what: `pfl-research ${theirs.version}, PyTorch ${theirs.torch}, with clip`, on: 'Python', value: theirs.clientsPerCpuSecond, unit: '', data: theirs },
      {
        what: 'Sotto beside pfl-research', on: node.name, value: ours.clientsPerCpuSecond / theirs.clientsPerCpuSecond, unit: 'x', goal: { least: 10, for: !quick },
        ...(!(apart < 1e-5) && { failed: `expected the norm ${theirs.norm} of a client's update, got ${ours.norm}` }),
      },
    ]
  } finally {
    child.stop()
  }
}
