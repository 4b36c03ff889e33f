/**
 * The settings of a transcript's header, checked as those of a simulation are.
 * @module
 */
import { anInteger, oneOf } from '../assert.ts'
import { aLocalTraining } from '../federated/plan.ts'
import { serverOptimizer } from '../federated/server-optimizer.ts'
import { makeSlice } from '../peft/slice.ts'
import { resolvePrivacy } from '../simulation/options.ts'
import type { PrivacyOptions } from '../simulation/options.ts'
import type { RoundSettings } from '../simulation/round.ts'
import { taskHash } from '../simulation/task.ts'
import { plainDifference } from './compare.ts'
import type { Findings } from './findings.ts'
import type { HeaderLine } from './format.ts'

/** What decides the plans of a transcript. @throws TypeError, RangeError for settings that cannot be */
export function settingsOf(header: HeaderLine, findings: Findings): RoundSettings {
  const { method, cohort, local, server, privacy, seed, task, whole: { parts, rank, length }, data, rounds, noise } = header
  oneOf('method.kind', method.kind, ['lora', 'dylora', 'full'])
  anInteger('cohort', cohort, 1, data.clients.length)
  aLocalTraining(local)
  oneOf('server.optimizer', server.optimizer, ['sgd', 'adam'])
  serverOptimizer(server)
  const whole = makeSlice(parts, rank ?? undefined)
  if ((method.kind === 'full') !== (rank === null)) throw new RangeError(`"whole.rank" expected ${method.kind === 'full' ? 'none' : 'one'} for ${method.kind}, got ${rank}`)
  if (method.kind === 'dylora') for (const b of method.ranks ?? []) anInteger('method.ranks', b, 1, rank!)
  const expect = (name: string, field: ReturnType<typeof plainDifference>) => {
    findings.require(field === undefined, { check: 'plans', message: `${[name, field?.path].filter(Boolean).join('.')} of the header expected ${field?.expected}, got ${field?.got}` })
  }
  expect('task.hash', plainDifference(taskHash(task.files, task.description), task.hash))
  expect('whole.length', plainDifference(whole.length, length))
  expect('noise', plainDifference(privacy === null, noise === 'none'))
  if (privacy !== null) {
    const { samplingRate: _, plannedEpsilon: __, ...asked } = privacy
    const { noiseMultiplier: ___, ...without } = asked
    const options: PrivacyOptions = asked.epsilon === undefined ? asked : without
    expect('privacy', plainDifference(JSON.parse(JSON.stringify(resolvePrivacy(options, rounds, cohort))), privacy))
  }
  return { method, cohort, population: data.clients.length, local, privacy: privacy ?? undefined, seed, task: task.hash, whole }
}
