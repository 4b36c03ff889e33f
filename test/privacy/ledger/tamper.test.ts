import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { auditLedger, memoryLedger, openLedger, type LedgerEntry } from '../../../src/privacy/ledger/index.ts'
import { entryText, seal, type Unsealed } from '../../../src/privacy/ledger/entry.ts'
import { hasSqlite, sqliteLedger } from '../../../src/runtime/node-ledger-sqlite.ts'
import { nodeLedger, readLedgerFile } from '../../../src/runtime/node-ledger.ts'
import { rejects } from '../../support/rejects.ts'
import { rng } from '../../support/rng.ts'
import { event, modelOf, planOf, runTo, spendOne } from './support.ts'

const test = suite('ledger, tampered with')

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-ledger-'))
  try {
    await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const lines = async (rounds: number): Promise<string[]> => {
  const store = memoryLedger()
  await runTo(store, rounds)
  return [...store.lines]
}

test('each byte of the text with a bit flipped: the audit finds it, and says where', async () => {
  const text = (await lines(3)).map(line => `${line}\n`).join('')
  assert.ok(auditLedger(text).valid)
  const bytes = new TextEncoder().encode(text), random = rng(1)
  assert.ok(bytes.length > 3000)
  for (let i = 0; i < bytes.length; i++) {
    const changed = bytes.slice()
    changed[i] ^= 1 << random.int(0, 7)
    const audit = auditLedger(new TextDecoder().decode(changed))
    assert.not(audit.valid, `byte ${i}`)
    assert.match(audit.statement, /proves nothing/)
  }
})

test('entries that are dropped, repeated, exchanged or added are found, and an end that is cut off where the head is known', async () => {
  const good = await lines(3), head = auditLedger(good).head!
  const without = (n: number) => good.filter((_, i) => i !== n)
  for (let n = 0; n < good.length - 1; n++) {
    assert.not(auditLedger(without(n)).valid, `without ${n}`)
    assert.not(auditLedger([...good.slice(0, n + 1), ...good.slice(n)]).valid, `${n} twice`)
    const swapped = [...good]
    swapped[n] = good[n + 1]
    swapped[n + 1] = good[n]
    assert.not(auditLedger(swapped).valid, `${n} exchanged`)
  }
  for (let n = 1; n < good.length; n++) {
    assert.not(auditLedger(good.slice(0, n), { head }).valid, `cut to ${n}`)
    assert.match(auditLedger(good.slice(0, n), { head }).problems[0], /cut off/)
  }
  const other = await lines(4)
  assert.not(auditLedger([...good, other[7]], { head }).valid)
  assert.match(auditLedger(other, { head }).problems[0], /goes on after/)
  assert.is(auditLedger(good, { head }).anchored, true)
  assert.is(auditLedger(good).anchored, false)
  assert.not(auditLedger('').valid)
  assert.match(auditLedger(`${good.join('\n')}`).problems[0], /last line is not ended/)
})

test('hashes that are all made again hide nothing that the rules or the accountant see', async () => {
  const good = (await lines(3)).map(line => JSON.parse(line) as LedgerEntry)
  const audited = (change: (entry: Record<string, unknown>, i: number) => void) => {
    let previous = good[0].previous
    return auditLedger(good.map((entry, i) => {
      const { hash: _, ...rest } = { ...entry, previous } as LedgerEntry & Record<string, unknown>
      change(rest as Record<string, unknown>, i)
      const sealed = seal(rest as Unsealed<LedgerEntry>)
      previous = sealed.hash
      return entryText(sealed)
    }))
  }
  assert.ok(audited(() => {}).valid)
  const finds = (pattern: RegExp, change: (entry: Record<string, unknown>, i: number) => void) => {
    const { problems } = audited(change)
    assert.ok(problems.length > 0, String(pattern))
    assert.match(problems.join('\n'), pattern)
  }
  const scale = (factor: number) => (entry: Record<string, unknown>) => { if (typeof entry['epsilon'] === 'number') entry['epsilon'] *= factor }
  finds(/records ε = .*, its events cost/, scale(1 - 1e-6))
  finds(/records ε = .*, its events cost/, scale(1.01))
  finds(/records ε = .*, its events cost/, entry => { if (entry['event']) entry['event'] = event(10) })
  finds(/ε is .* it cannot fall/, (entry, i) => { if (i === 3 || i === 4) entry['epsilon'] = 0.01 })
  finds(/its event is not that of its reservation/, (entry, i) => { if (i === 2) entry['event'] = event(200) })
  finds(/a round number is used once/, (entry, i) => { if (i === 3 || i === 4) entry['round'] = 1 })
  finds(/starts from model/, (entry, i) => { if (i === 2) entry['modelAfter'] = planOf(77) })
  finds(/ledger is not of a simulation/, (entry, i) => { if (i === 1 || i === 2) entry['noise'] = 'seeded' })
  finds(/within the budget/, (entry, i) => { if (i === 0) entry['budget'] = { ...entry['budget'] as object, epsilon: 0.1 } })
  finds(/records ε/, (entry, i) => { if (i === 0) entry['budget'] = { ...entry['budget'] as object, adjacency: 'substitute' } })
  finds(/is it is entry|says it is entry/, (entry, i) => { if (i === 3) entry['number'] = 7 })
})

test('a folder: each byte of ledger and head flipped is refused when it is opened, of a model when it is read', () => inFolder(async folder => {
  const written = await runTo(nodeLedger(folder), 2)
  const { model } = written
  await written.close()
  const random = rng(2)
  for (const name of ['ledger.jsonl', 'head.json', `model-${model}.bin`]) {
    const path = join(folder, name), good = readFileSync(path)
    for (let i = 0; i < good.length; i++) {
      const changed = Buffer.from(good)
      changed[i] ^= 1 << random.int(0, 7)
      writeFileSync(path, changed)
      // without a lock, which would not make a difference
      const store = nodeLedger(folder, { readOnly: true })
      await rejects(openLedger(store).then(ledger => ledger.latest()), /changed|damaged|cut off/)
    }
    writeFileSync(path, good)
  }
  assert.is((await openLedger(nodeLedger(folder, { readOnly: true }))).model, model)
}))

test('a folder: files that are cut, gone or set back behind the models are refused', () => inFolder(async folder => {
  const ledger = await runTo(nodeLedger(folder), 1)
  const early = ['ledger.jsonl', 'head.json'].map(name => [name, readFileSync(join(folder, name))] as const)
  await spendOne(ledger)
  const { model } = ledger
  await ledger.close()
  const late = ['ledger.jsonl', 'head.json', `model-${model}.bin`].map(name => [name, readFileSync(join(folder, name))] as const)
  const restore = () => late.forEach(([name, bytes]) => writeFileSync(join(folder, name), bytes))
  const refused = async (pattern: RegExp) => {
    await rejects((async () => {
      const store = nodeLedger(folder)
      try {
        await (await openLedger(store)).latest()
      } finally {
        await store.close()
      }
    })(), pattern)
    restore()
  }
  const cut = (bytes: number) => writeFileSync(join(folder, 'ledger.jsonl'), late[0][1].subarray(0, late[0][1].length - bytes))
  for (const bytes of [1, 2, 100, 1000, 3000]) {
    cut(bytes)
    await refused(/cut off|damaged/)
  }
  writeFileSync(join(folder, 'ledger.jsonl'), '')
  await refused(/cut off/)
  rmSync(join(folder, 'ledger.jsonl'))
  await refused(/cut off/)
  rmSync(join(folder, 'head.json'))
  await refused(/cut off or added/)
  early.forEach(([name, bytes]) => writeFileSync(join(folder, name), bytes))
  await refused(/set back behind what was released/)
  rmSync(join(folder, `model-${model}.bin`))
  await refused(/which its last entry released/)
  // the same for an auditor, who is given the lines and the head
  cut(50)
  const { lines, head } = readLedgerFile(folder)
  assert.not(auditLedger(lines, { head }).valid)
  restore()
  const whole = readLedgerFile(join(folder, 'ledger.jsonl'))
  assert.ok(auditLedger(whole.lines, { head: whole.head }).anchored)
  assert.throws(() => readLedgerFile(join(folder, 'nowhere')), /got none there/)
}))

test('an auditor changes nothing, writes nothing, and gets in while somebody writes', () => inFolder(async folder => {
  const ledger = await runTo(nodeLedger(folder), 1)
  const names = () => readdirSync(folder).sort().map(name => [name, readFileSync(join(folder, name)).toString('base64')])
  const before = names()
  const reader = await openLedger(nodeLedger(folder, { readOnly: true }))
  await rejects(spendOne(reader), /open for reading only/)
  await rejects(nodeLedger(folder, { readOnly: true }).commit(3, '', []), /open for reading only/)
  assert.ok((await reader.latest())!.model.length > 0)
  assert.equal(names(), before)
  await spendOne(ledger)
  await ledger.close()
}))

test('models beyond those to keep are removed; the last stays, with its state', () => inFolder(async folder => {
  const ledger = await runTo(nodeLedger(folder, { keep: 2 }), 5)
  const of = (kind: string) => readdirSync(folder).filter(name => name.startsWith(`${kind}-`)).length
  assert.equal([of('model'), of('state')], [2, 1])
  assert.ok((await ledger.latest())!.state !== undefined)
  // the same model released twice
  await ledger.spend({ round: 6, planHash: planOf(6), event: event(), noise: 'system' }, () => ({ model: modelOf(1, '') }))
  await ledger.spend({ round: 7, planHash: planOf(7), event: event(), noise: 'system' }, () => ({ model: modelOf(1, '') }))
  assert.equal([of('model'), of('state')], [1, 0])
  await ledger.close()
  const again = await openLedger(nodeLedger(folder, { keep: 2 }))
  assert.equal((await again.latest())!.model, modelOf(1, ''))
  await again.close()
}))

if (await hasSqlite()) {
  test('SQLite: 500 bytes flipped, anywhere in the file: refused, or nothing that is read has changed', () => inFolder(async folder => {
    const path = join(folder, 'ledger.sqlite')
    const ledger = await runTo(await sqliteLedger(path, { keep: 1 }), 2)
    const { model, entries } = ledger
    await ledger.close()
    const good = readFileSync(path), random = rng(3)
    let found = 0
    for (let i = 0; i < 500; i++) {
      const changed = Buffer.from(good)
      changed[random.int(0, good.length - 1)] ^= 1 << random.int(0, 7)
      writeFileSync(path, changed)
      try {
        const store = await sqliteLedger(path, { readOnly: true })
        const opened = await openLedger(store)
        const latest = await opened.latest()
        assert.equal([opened.model, opened.entries, latest!.entry.modelAfter], [model, entries, model])
        await store.close()
      } catch (error) {
        if ((error as Error).constructor.name === 'Assertion') throw error
        found++
      }
    }
    assert.ok(found > 50, `${found}`)
  }))
  test('SQLite: rows removed from the end are noticed', () => inFolder(async folder => {
    const path = join(folder, 'ledger.sqlite')
    await (await runTo(await sqliteLedger(path), 2)).close()
    const name = 'node:sqlite'
    const { DatabaseSync } = await import(name) as { DatabaseSync: new (path: string) => { exec(sql: string): void, close(): void } }
    const database = new DatabaseSync(path)
    database.exec('DELETE FROM entries WHERE number = 4')
    database.close()
    await rejects(sqliteLedger(path, { readOnly: true }), /cut off or changed/)
  }))
} else {
  console.log(`SKIPPED: the ledger's SQLite store, which Node ${process.versions.node} has no SQLite for (22.13 and later have)`)
  test('SQLite: where there is none, it says what to do', async () => {
    await rejects(sqliteLedger('anywhere'), /expected Node 22.13 or later.*use nodeLedger/)
  })
}
test.run()
