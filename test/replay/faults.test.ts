/** A training is damaged in one place at a time: each is found, and named by round, client and tensor. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashArray } from '../../src/canonical.ts'
import { memorySource } from '../../src/checkpoint/source.ts'
import type { Verification } from '../../src/replay/index.ts'
import { marksOf, placeOf } from '../../src/replay/locate.ts'
import { rejects } from '../support/rejects.ts'
import { rng } from '../support/rng.ts'
import { arraysOf, clients, forge, hostWith, linesOf, MODEL, test as held, train, verify, withArrays, withData } from './support.ts'
import type { Files } from './support.ts'

const files = await train()
const lines = linesOf(files)

/** First difference, without its words. */
function placeFound({ verdict, first }: Verification): object {
  assert.is(verdict, 'differs')
  const { message: _, ...place } = first!
  return JSON.parse(JSON.stringify(place))
}

test('as it was written, nothing differs, with data and without', async () => {
  for (const options of [{}, { model: MODEL }, withData]) {
    const found = await verify(files, options)
    assert.equal(found.differences, [])
    assert.is(found.reached, lines.end.end.state)
  }
})

test('one bit of one contribution: round, client and tensor', async () => {
  const source = rng(5)
  for (const round of [1, 3]) {
    const { clients: who, plan } = lines.rounds[round - 1]
    const i = source.int(0, who.length - 1), at = source.int(0, plan.slice.length - 1)
    const damaged = withArrays(files, ({ rounds }) => { rounds[round - 1].contributions[i][at] ^= 1 })
    const { tensor } = placeOf(plan.slice, at)
    assert.equal(placeFound(await verify(damaged)), { check: 'contributions', round, client: who[i], tensor })
  }
})

test('one bit of one release: round, tensor, row and column', async () => {
  const { plan } = lines.rounds[1]
  const at = plan.slice.length - 3
  const damaged = withArrays(files, ({ rounds }) => { rounds[1].release[at] ^= 1 })
  const found = await verify(damaged)
  assert.equal(placeFound(found), { check: 'releases', round: 2, ...placeOf(plan.slice, at) })
  const [wanted] = [arraysOf(files).rounds[1].release[at]]
  assert.is(found.first!.message, `release expected ${wanted}, got ${wanted ^ 1} in the transcript`)
})

test('any flipped bit of any file, and any cut, is found', async () => {
  const source = rng(17)
  for (const name of ['transcript.bin', 'transcript.jsonl', 'ledger.jsonl', 'adapter_model.safetensors']) {
    const whole = typeof files[name] === 'string' ? new TextEncoder().encode(files[name]) : files[name]
    for (let trial = 0; trial < 8; trial++) {
      const bytes = whole.slice()
      const at = source.int(0, bytes.length - 1)
      bytes[at] ^= 1 << source.int(0, 7)
      for (const damaged of [bytes, whole.slice(0, at)]) {
        // a first line that cannot be read at all is no transcript
        const verdict = await verify({ ...files, [name]: damaged }).then(found => found.verdict, (error: Error) => error.name)
        assert.ok(verdict === 'differs' || (name === 'transcript.jsonl' && /^(Format|Range)Error$/.test(verdict)), `${name}, byte ${at}: ${verdict}`)
      }
    }
  }
})

test('a line of the ledger: its entry and round', async () => {
  const text = String(files['ledger.jsonl']).split('\n')
  text[4] = text[4].replace('"round":2', '"round":3')
  const found = await verify({ ...files, 'ledger.jsonl': text.join('\n') })
  assert.is(found.first!.check, 'ledger')
  assert.is(found.first!.round, 2)
  assert.match(found.first!.message, /^entry 4 of the ledger was changed/)
})

test('a ledger, or a transcript, that was replaced as a whole does not have the published head', async () => {
  const other = await train({ seed: 4 })
  const found = await verify({ ...other, 'privacy.json': files['privacy.json'] })
  assert.equal(found.differences.map(({ check }) => check), ['ledger', 'transcript'])
})

test('a mark of the byte order before the first line is a change like any other', async () => {
  await rejects(verify({ ...files, 'transcript.jsonl': `\ufeff${String(files['transcript.jsonl'])}` }), /transcript\.jsonl/)
})

test('a published promise that is better than what was spent, or of something else, is found by its place', async () => {
  const honest = JSON.parse(String(files['privacy.json'])), { header, rounds } = lines
  const promise = {
    ...honest, numerics: 1, epsilon: rounds[2].epsilon, delta: 1e-6, unit: 'client', population: 5000, simulatedCohort: 4, rounds: 3, noiseSource: 'seeded',
    mechanism: { noiseMultiplier: header.privacy!.noiseMultiplier, clip: 0.3, clipRule: 'flat' },
  }
  const published = (changes: object) => verify({ ...files, 'privacy.json': JSON.stringify({ ...promise, ...changes }) })
  assert.equal((await published({})).differences, [])
  for (const [changes, message] of [
    [{ epsilon: 0.1 }, /^privacy\.json expected epsilon [\d.]+, got 0\.1$/], [{ delta: 1e-9 }, /expected delta 0\.000001, got 1e-9/],
    [{ epsilon: null }, /expected epsilon/], [{ unit: 'user' }, /expected unit "client", got "user"/], [{ rounds: 2 }, /expected rounds 3, got 2/],
    [{ mechanism: { noiseMultiplier: 9 } }, /expected mechanism\.noiseMultiplier 5, got 9/], [{ numerics: 2 }, /expected numerics 1, got 2/],
  ] as const) {
    const found = await published(changes)
    assert.is(found.first!.check, 'ledger')
    assert.match(found.first!.message, message)
  }
})

test('one field of one plan, chained anew: round and field', async () => {
  const changed = forge(files, ({ rounds }) => { rounds[1].plan.lattice.clip *= 2 })
  const found = await verify(changed)
  assert.equal(placeFound(found), { check: 'plans', round: 2 })
  assert.is(found.first!.message, 'plan.lattice.clip expected 0.3, got 0.6')
})

test('a changed line that is not chained anew: the line, its round, and the field', async () => {
  const all = String(files['transcript.jsonl']).split('\n')
  all[2] = all[2].replace('"loss":0', '"loss":1')
  const text = all.join('\n')
  const found = await verify({ ...files, 'transcript.jsonl': text })
  assert.equal(found.differences.map(({ check, round }) => [check, round]), [['transcript', 2]])
  assert.match(found.first!.message, /line 3 \(round 2\) has not the hash of its content/)
})

test('clients in another order, and one that was dropped: round and client', async () => {
  const [a, b] = lines.rounds[0].clients
  const swapped = forge(files, ({ rounds }) => { rounds[0].clients.splice(0, 2, b, a) })
  const found = await verify(swapped)
  assert.equal(placeFound(found), { check: 'clients', round: 1, client: a })
  assert.match(found.first!.message, new RegExp(`participant 1 expected client ${a}, as the seed draws, got client ${b}`))
  const last = lines.rounds[2].clients.at(-1)!
  const dropped = forge(files, ({ rounds }) => { for (const key of ['clients', 'contributions', 'marks'] as const) rounds[2][key].pop() })
  assert.equal(placeFound(await verify(dropped)), { check: 'clients', round: 3, client: last })
})

test('contributions exchanged between clients, hashes too: the sum is the same, training them again is not', async () => {
  const exchange = (list: unknown[]) => list.splice(0, 2, list[1], list[0])
  const exchanged = forge(withArrays(files, ({ rounds }) => { exchange(rounds[0].contributions) }), ({ rounds, end }) => {
    exchange(rounds[0].contributions)
    exchange(rounds[0].marks)
    delete (end.end.files as Record<string, string>)['transcript.bin']
  })
  const blind = await verify(exchanged)
  assert.equal(blind.differences.map(({ check }) => check), ['files'])
  const found = await verify(exchanged, withData)
  assert.is(found.first!.check, 'training')
  assert.equal([found.first!.round, found.first!.client], [1, lines.rounds[0].clients[0]])
})

test('a round that was left out, and one that comes twice', async () => {
  for (const change of [[0, 2], [0, 1, 1, 2]]) {
    const found = await verify(forge(files, all => { all.rounds = change.map(i => all.rounds[i]) }))
    assert.is(found.verdict, 'differs')
    assert.is(found.first!.check, 'transcript')
  }
})

test('another seed: the first round', async () => {
  const found = await verify(forge(files, ({ header }) => { header.seed = 4 }))
  assert.is(found.first!.round, 1)
  assert.match(found.first!.message, /plan\.publicSeed expected/)
})

test('more noise than was planned, or an ε that it does not cost', async () => {
  const louder = await verify(forge(files, ({ header }) => { (header.privacy as { noiseMultiplier: number }).noiseMultiplier = 6 }))
  assert.is(louder.verdict, 'differs')
  assert.ok(louder.differences.some(({ check, round, message }) => check === 'plans' && round === 1 && /oiseMultiplier expected/.test(message)))
  const cheaper = await verify(forge(files, ({ rounds }) => { rounds[2].epsilon! /= 2 }))
  assert.equal(placeFound(cheaper), { check: 'ledger', round: 3 })
})

test('a state that does not follow: round and tensor', async () => {
  const name = Object.keys(lines.rounds[1].tensors)[2]
  const found = await verify(forge(files, ({ rounds }) => { rounds[1].tensors[name] = '0'.repeat(64) }))
  assert.equal(placeFound(found), { check: 'states', round: 2, tensor: name })
})

test('one bit of the values that the run started from: the tensor', async () => {
  const found = await verify(withArrays(files, ({ start }) => { new Int32Array(start.buffer)[700] ^= 1 }))
  assert.ok(found.differences.some(({ check, tensor }) => check === 'start' && tensor === placeOf({ ...lines.header.whole, rank: 4 }, 700).tensor))
})

test('other weights of the model: the file, and the first round, client and tensor', async () => {
  const weights = new Uint8Array(readFileSync(join(MODEL, 'model.safetensors')))
  const other = weights.slice()
  const start = 8 + Number(new DataView(weights.buffer).getBigUint64(0, true))
  const tensors = JSON.parse(new TextDecoder().decode(weights.subarray(8, start))) as Record<string, { data_offsets: number[] }>
  const [name] = Object.keys(tensors).filter(key => key.endsWith('layer.0.attention.self.query.weight'))
  // the lowest bit of an exponent: one number is twice or half of what it was
  other[start + tensors[name].data_offsets[0] + 2] ^= 0x80
  const rest = ['config.json', 'tokenizer.json', 'tokenizer_config.json']
  const all = Object.fromEntries(rest.flatMap(name => {
    try {
      return [[name, new Uint8Array(readFileSync(join(MODEL, name)))] as const]
    } catch {
      return []
    }
  }))
  const model = (bytes: Uint8Array) => ({ host: hostWith('other', memorySource({ ...all, 'model.safetensors': bytes })), model: 'other' })
  assert.is((await verify(files, { ...withData, ...model(weights) })).verdict, 'equal')
  const found = await verify(files, { ...withData, ...model(other) })
  const [file, trained] = found.differences
  assert.is(file.check, 'model')
  assert.match(file.message, /^model\.safetensors/)
  assert.equal([trained.check, trained.round, trained.client], ['training', 1, lines.rounds[0].clients[0]])
  assert.ok(lines.rounds[0].plan.slice.parts.some(({ tensor }) => tensor === trained.tensor))
  assert.match(trained.message, /trained again, expected -?\d+, got -?\d+ in the transcript/)
  assert.is(found.first, trained)
})

test('other data: the client, and the first round that it takes part in', async () => {
  const client = lines.rounds[0].clients.find(who => !lines.rounds[1].clients.includes(who)) ?? lines.rounds[0].clients[1]
  const changed = clients.map((one, i) => i === client ? { ...one, examples: [{ ...one.examples[0], text: 'free lunch' }, ...one.examples.slice(1)] } : one)
  const found = await verify(files, { ...withData, data: { clients: changed, test: held } })
  assert.equal(found.differences.map(({ check, round, client: who }) => [check, round, who]), [['data', undefined, client], ['training', 1, client]])
  const flipped = await verify(files, { ...withData, data: { clients, test: [...held].reverse() } })
  assert.equal(flipped.differences.map(({ check }) => check), ['data'])
})

test('a client that trained on other texts than it says: by its integers, also in a spot audit', async () => {
  const { rounds } = lines
  const client = rounds[1].clients[1]
  const poisoned = clients.map((one, i) => i === client ? { ...one, examples: one.examples.map(({ text }) => ({ text, label: 'ham' })) } : one)
  const honest = lines.header.data.clients
  const lie = forge(await train({ clients: poisoned }), ({ header }) => { header.data.clients = honest })
  assert.is((await verify(lie)).verdict, 'equal', 'from the contributions on nothing is wrong')
  const first = rounds.find(({ clients: who }) => who.includes(client))!.round
  const found = await verify(lie, withData)
  assert.equal([found.first!.check, found.first!.round, found.first!.client], ['training', first, client])
  const spot = await verify(lie, { ...withData, only: { client, round: 2 } })
  assert.equal([spot.first!.check, spot.first!.round, spot.first!.client], ['training', 2, client])
  const other = rounds[1].clients[0]
  const fine = await verify(lie, { ...withData, only: { client: other, round: 2 } })
  assert.is(fine.verdict, 'equal')
  assert.is(fine.checks.find(({ name }) => name === 'training')!.count, 1)
})

test('losses, accuracies and marks that are not those of the training', async () => {
  const at = async (change: Parameters<typeof forge>[1], options = {}) => placeFound(await verify(forge(files, change), options))
  assert.equal(await at(({ rounds }) => { rounds[1].metrics.loss += 1e-9 }, withData), { check: 'training', round: 2 })
  assert.equal(await at(({ rounds }) => { rounds[1].metrics.accuracy = 0.123 }, withData), { check: 'accuracy', round: 2 })
  assert.equal(await at(({ rounds }) => { rounds[0].metrics.accuracy = 0.5 }, withData), { check: 'accuracy', round: 1 })
  assert.equal(await at(({ end }) => { end.end.confusion[0][0]++ }, withData), { check: 'accuracy' })
  const client = lines.rounds[2].clients[1]
  assert.equal(await at(({ rounds }) => { rounds[2].marks[1] = rounds[2].marks[0] }), { check: 'contributions', round: 3, client })
  assert.equal(await at(({ rounds }) => { rounds[2].release.marks = 'x' }), { check: 'releases', round: 3 })
})

test('a spot audit of a client that was not there is refused', async () => {
  const absent = clients.findIndex((_, i) => !lines.rounds[0].clients.includes(i))
  await rejects(verify(files, { ...withData, only: { client: absent, round: 1 } }), /"client" expected one that took part in round 1/)
  await rejects(verify(files, { ...withData, only: { client: 0, round: 9 } }), /"round" expected .* 1 to 3, got 9/)
})

test('hashes alone: without data what cannot be checked is said; with data a wrong client is named, by its tensor', async () => {
  const kept = await train({}, { arrays: 'hashes' })
  assert.not('transcript.bin' in kept)
  const blind = await verify(kept)
  assert.is(blind.verdict, 'equal')
  assert.is(blind.reached, null)
  for (const name of ['contributions', 'training', 'releases', 'states', 'trained model', 'accuracy']) {
    const { outcome, note } = blind.checks.find(check => check.name === name)!
    assert.is(outcome, 'not checked', name)
    assert.ok(note !== '', name)
  }
  assert.is((await verify(kept, withData)).reached, linesOf(kept).end.end.state)
  const mark = forge(kept, ({ rounds }) => {
    rounds[1].contributions[0] = '0'.repeat(64)
    rounds[1].marks[0] = `${rounds[1].marks[0].slice(0, 8)}00000000${rounds[1].marks[0].slice(16)}`
  })
  const found = await verify(mark, withData)
  assert.equal(placeFound(found), { check: 'training', round: 2, client: lines.rounds[1].clients[0], tensor: lines.rounds[1].plan.slice.parts[1].tensor })
})

test('fresh noise: keys that are used twice, sums without noise and numbers out of range are found', async () => {
  const fresh = await train({ noise: 'system', rounds: 2 })
  const whole = linesOf(fresh)
  const twice = await verify(forge(fresh, ({ rounds }) => { rounds[1].noise = rounds[0].noise }))
  assert.equal(placeFound(twice), { check: 'noise', round: 2 })
  const replaced = (change: (release: Int32Array, sum: Int32Array) => void): Files => {
    let release = new Int32Array(), { slice } = whole.rounds[1].plan
    const damaged = withArrays(fresh, ({ rounds: [, second] }) => {
      const sum = new Int32Array(second.release.length)
      for (const values of second.contributions) values.forEach((value, i) => { sum[i] += value })
      change(second.release, sum)
      release = second.release as Int32Array<ArrayBuffer>
    })
    return forge(damaged, ({ rounds }) => { rounds[1].release = { hash: hashArray(release), marks: marksOf(slice, release) } })
  }
  const { first: quiet } = await verify(replaced((release, sum) => { release.set(sum) }))
  assert.equal([quiet!.check, quiet!.round], ['noise', 2])
  assert.match(quiet!.message, /expected a standard deviation near it, got 0\.000/)
  const { first: half } = await verify(replaced((release, sum) => { release.forEach((value, i) => { release[i] = sum[i] + ((value - sum[i]) >> 1) }) }))
  assert.equal([half!.check, half!.round], ['noise', 2])
  const { first: large } = await verify(replaced(release => { release[5] = 2 ** 30 }))
  assert.equal([large!.check, large!.round, large!.tensor], ['releases', 2, whole.rounds[1].plan.slice.parts[0].tensor])
})

test('a transcript of another version of format or numerics is refused', async () => {
  await rejects(verify(forge(files, ({ header }) => { (header as { format: string }).format = 'sotto-transcript/9' })), /expected the format sotto-transcript\/2/)
  await rejects(verify(forge(files, ({ header }) => { header.numerics = 99 })), /numerics version/)
  await rejects(verify({}), /expected transcript\.jsonl, got none/)
})

test.run()
