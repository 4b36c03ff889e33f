// slow: some 150 processes are started and killed
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../../src/canonical.ts'
import { openLedger, type LedgerStore } from '../../../src/privacy/ledger/index.ts'
import { nodeDisk, type Disk } from '../../../src/runtime/node-disk.ts'
import { hasSqlite, sqliteLedger } from '../../../src/runtime/node-ledger-sqlite.ts'
import { nodeLedger } from '../../../src/runtime/node-ledger.ts'
import { mustHold, runTo } from './support.ts'

const ROUNDS = 2

type Where = 'before' | 'half' | 'after'

/** Ends this process as a power cut would end it: no handlers, no flushes. */
function die(): never {
  process.kill(process.pid, 'SIGKILL')
  for (;;) { /* the signal is on its way */ }
}

let steps = 0

function counted<T>(cut: number, where: Where, run: () => T, half?: () => void): T {
  if (where === 'half' && half === undefined) return run()
  steps++
  if (steps === cut && where === 'half') { half!(); die() }
  if (steps === cut && where === 'before') die()
  const result = run()
  if (steps === cut) die()
  return result
}

/** The machine's disk, which ends the process at its n-th write. */
function deadlyDisk(cut: number, where: Where): Disk {
  const disk = { ...nodeDisk }
  for (const name of ['truncate', 'sync', 'rename', 'link', 'remove', 'syncFolder'] as const) {
    disk[name] = ((...args: [never, never]) => counted(cut, where, () => nodeDisk[name](...args))) as never
  }
  disk.write = (path, bytes) => counted(cut, where, () => nodeDisk.write(path, bytes), () => nodeDisk.write(path, bytes.subarray(0, bytes.length >> 1)))
  disk.append = (path, bytes, expected) => counted(cut, where, () => nodeDisk.append(path, bytes, expected),
    () => nodeDisk.append(path, bytes.subarray(0, bytes.length >> 1), expected))
  return disk
}

async function openStore(kind: string, folder: string, cut = 0, where: Where = 'before'): Promise<LedgerStore> {
  if (kind === 'sqlite') return sqliteLedger(join(folder, 'ledger.sqlite'), { step: (_, run) => counted(cut, where, run) })
  return nodeLedger(folder, cut > 0 ? { disk: deadlyDisk(cut, where) } : {})
}

/** What a child does: a run that ends at a step, or holds the ledger. */
async function child(job: string, kind: string, folder: string, cut: number, where: Where): Promise<void> {
  if (job === 'hold') {
    try {
      const store = await openStore(kind, folder)
      const ledger = await openLedger(store)
      writeSync(1, `holds ${ledger.nextRound}\n`)
      await new Promise(() => { setInterval(() => {}, 1000) })
    } catch (error) {
      writeSync(1, `refused ${(error as Error).message}\n`)
    }
    return
  }
  const store = await openStore(kind, folder, cut, where)
  const world = (line: string) => appendFileSync(join(folder, 'world'), `${line}\n`)
  await (await runTo(store, ROUNDS, hash => world(`released ${hash}`), round => world(`drawn ${round}`))).close()
  world(`steps ${steps}`)
}

const self = fileURLToPath(import.meta.url)

interface Ended { readonly signal: string | null, readonly code: number | null, readonly output: string }

function start(job: string, kind: string, folder: string, cut = 0, where: Where = 'before') {
  const process_ = spawn(process.execPath, ['--no-warnings', self], {
    env: { ...process.env, LEDGER_CHILD: JSON.stringify([job, kind, folder, cut, where]) }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let onLine = () => {}
  for (const stream of [process_.stdout, process_.stderr]) stream.on('data', chunk => { output += chunk; onLine() })
  const ended = new Promise<Ended>(resolve => process_.on('close', (code, signal) => resolve({ code, signal, output })))
  const firstLine = new Promise<string>(resolve => {
    onLine = () => { if (output.includes('\n')) resolve(output) }
    void ended.then(() => resolve(output))
  })
  return { kill: () => process_.kill('SIGKILL'), ended, firstLine }
}

const temporary = () => mkdtempSync(join(tmpdir(), 'sotto-ledger-'))

function worldOf(folder: string): { released: string[], drawn: number[], steps: number } {
  const lines = existsSync(join(folder, 'world')) ? readFileSync(join(folder, 'world'), 'utf8').split('\n') : []
  const of = (word: string) => lines.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1))
  const served = readdirSync(folder).filter(name => /^model-.*\.bin$/.test(name)).map(name => name.slice(6, -4))
  return { released: [...of('released'), ...served], drawn: of('drawn').map(Number), steps: Number(of('steps')[0] ?? 0) }
}

/** Kills a run at a step, goes on with it, and looks at all of it. */
async function killedAt(kind: string, cut: number, where: Where): Promise<boolean> {
  const folder = temporary()
  try {
    const { signal, code, output } = await start('run', kind, folder, cut, where).ended
    if (signal !== 'SIGKILL') {
      assert.is(code, 0, output)
      return false
    }
    const before = worldOf(folder)
    const drawn = [...before.drawn]
    const store = await openStore(kind, folder)
    const found = await store.read()
    if (found.length > 0) mustHold(found, before.released)
    else assert.equal(before, { released: [], drawn: [], steps: 0 })
    const ledger = await runTo(store, ROUNDS, () => {}, round => { drawn.push(round) })
    const lines = await store.read()
    const audit = mustHold(lines, worldOf(folder).released)
    assert.is(audit.released, ROUNDS)
    // the draw of a round that was killed is charged; at most that one
    assert.ok(audit.reserved <= ROUNDS + 1)
    assert.is(new Set(drawn).size, drawn.length, `drawn ${drawn.join(' ')}`)
    for (const row of audit.rounds.filter(row => row.released)) assert.ok(drawn.includes(row.round))
    for (const round of drawn) assert.ok(audit.rounds.some(row => row.round === round), `round ${round} was drawn and is not in the ledger`)
    const latest = (await ledger.latest())!
    assert.is(hashBytes(latest.model), audit.model)
    assert.ok(latest.state !== undefined)
    await ledger.close()
    return true
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function everyStep(kind: string, wheres: readonly Where[]): Promise<void> {
  const folder = temporary()
  const { code, output } = await start('run', kind, folder).ended
  assert.is(code, 0, output)
  rmSync(folder, { recursive: true, force: true })
  // counted by killing: until a run is no longer stopped
  let killed = 0
  for (const where of wheres) {
    const queue = async (from: number) => {
      for (let cut = from; ; cut += 2) {
        if (!await killedAt(kind, cut, where)) return
        killed++
      }
    }
    await Promise.all([queue(1), queue(2)])
  }
  assert.ok(killed >= (kind === 'files' ? 110 : 45), `${killed} kills`)
}

async function oneWriter(kind: string): Promise<void> {
  const folder = temporary()
  try {
    const first = await runTo(await openStore(kind, folder), 1)
    await first.close()
    const holder = start('hold', kind, folder)
    assert.match(await holder.firstLine, /^holds 2/)
    // another process, this one, and again another
    let refused = ''
    await openStore(kind, folder).then(() => {}, error => { refused = (error as Error).message })
    assert.match(refused, /expected to be open for writing once, but process \d+ of/)
    assert.match((await start('hold', kind, folder).ended).output, /^refused .*open for writing once/)
    // an auditor is not kept out
    const reader = kind === 'sqlite' ? await sqliteLedger(join(folder, 'ledger.sqlite'), { readOnly: true }) : nodeLedger(folder, { readOnly: true })
    assert.is(mustHold(await reader.read(), []).released, 1)
    await reader.close()
    // killed, it holds nothing; of several that come at once, one gets it
    holder.kill()
    await holder.ended
    const contenders = Array.from({ length: 4 }, () => start('hold', kind, folder))
    const answers = await Promise.all(contenders.map(contender => contender.firstLine))
    contenders.forEach(contender => contender.kill())
    await Promise.all(contenders.map(contender => contender.ended))
    assert.is(answers.filter(answer => answer.startsWith('holds')).length, 1, answers.join(''))
    assert.is(answers.filter(answer => answer.startsWith('refused')).length, 3, answers.join(''))
    const again = await openStore(kind, folder)
    await rejectsSecond(kind, folder)
    await again.close()
    await (await openStore(kind, folder)).close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function rejectsSecond(kind: string, folder: string): Promise<void> {
  let refused = false
  await openStore(kind, folder).catch(() => { refused = true })
  assert.ok(refused, 'this process opened it twice')
}

const job = process.env['LEDGER_CHILD']
if (job !== undefined) {
  await child(...JSON.parse(job) as Parameters<typeof child>)
  process.exit(0)
}

const test = suite('ledger, killed')
test('files: SIGKILL before, in and after every write; resumed, nothing is released unrecorded or drawn twice', () => everyStep('files', ['before', 'half', 'after']))
test('files: two processes, one writer, also after a kill', () => oneWriter('files'))
test('files: a lock of another machine is not taken for dead; one whose process is gone, or another by now, is', async () => {
  const folder = temporary()
  try {
    await (await runTo(nodeLedger(folder), 1)).close()
    const lock = () => join(folder, readdirSync(folder).find(name => /^lock-/.test(name))!)
    for (const [holder, taken] of [
      [{ host: 'elsewhere', pid: 1, started: '' }, false], ['not JSON', false],
      [{ host: (await import('node:os')).hostname(), pid: 2 ** 22 + 5, started: '' }, true],
      ...(existsSync('/proc/self/stat') ? [[{ host: (await import('node:os')).hostname(), pid: process.pid, started: 'long ago' }, true]] : []),
    ] as const) {
      writeFileSync(lock(), JSON.stringify(holder))
      let opened: LedgerStore | undefined
      try { opened = nodeLedger(folder) } catch { /* as it may be */ }
      assert.is(opened !== undefined, taken, JSON.stringify(holder))
      await opened?.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
if (await hasSqlite()) {
  test('SQLite: SIGKILL before and after every statement; resumed, nothing is released unrecorded or drawn twice', () => everyStep('sqlite', ['before', 'after']))
  test('SQLite: two processes, one writer, also after a kill', () => oneWriter('sqlite'))
} else {
  console.log(`SKIPPED: the ledger's SQLite store, which Node ${process.versions.node} has no SQLite for (22.13 and later have)`)
}
test.run()
