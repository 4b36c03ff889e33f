import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hashBytes } from '../../../src/canonical.ts'
import { nodeLedger } from '../../../src/runtime/node-ledger.ts'
import { rng } from '../../support/rng.ts'
import { fakeDisk, PowerCut, type FakeDisk } from './fake-disk.ts'
import { mustHold, runTo } from './support.ts'

const test = suite('ledger, power cuts')

const FOLDER = '/ledger'
const ROUNDS = 3
const SEEDS = 5

/** What the world saw: models under their released names, and draws by round. */
interface World { readonly released: string[], readonly drawn: number[] }

/** Runs until the end or the cut; what was released before is remembered by the world. */
async function attempt(disk: FakeDisk, world: World, keep: number | 'all'): Promise<boolean> {
  let store
  try {
    store = nodeLedger(FOLDER, { disk, keep })
    const ledger = await runTo(store, ROUNDS, () => {}, round => { world.drawn.push(round) })
    await ledger.close()
    return true
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error
    return false
  } finally {
    // also between two steps of the disk: a file under this name may have been served to somebody
    for (const name of disk.list(FOLDER)) if (/^model-.*\.bin$/.test(name)) world.released.push(name.slice(6, -4))
  }
}

async function afterwards(disk: FakeDisk, world: World): Promise<void> {
  const store = nodeLedger(FOLDER, { disk, readOnly: true })
  const audit = mustHold(await store.read(), world.released)
  assert.is(audit.released, ROUNDS)
  assert.is(new Set(world.drawn).size, world.drawn.length, `noise was drawn for rounds ${world.drawn.join(' ')}`)
  const reserved = new Set(audit.rounds.map(({ round }) => round))
  for (const round of world.drawn) assert.ok(reserved.has(round), `noise of round ${round} was drawn, and its reservation is gone`)
  for (const row of audit.rounds) {
    if (row.released) assert.ok(world.drawn.includes(row.round))
  }
  const model = await store.blob('model', audit.model!)
  assert.is(hashBytes(model!), audit.model)
}

/** The lock's process is this one, which is alive: after the cut it is not. */
function unlock(disk: FakeDisk): void {
  const cut = disk.cutAt
  disk.cutAt = Infinity
  for (const name of disk.list(FOLDER)) if (/^lock-/.test(name)) disk.write(`${FOLDER}/${name}`, new Uint8Array())
  disk.cutAt = cut
}

for (const lose of [false, true]) {
  test(`a cut before, in and after every single step, ${lose ? 'unsynced writes lost' : 'writes kept'}: the run ends with all its rounds, none twice`, async () => {
    const whole = fakeDisk(rng(1), lose)
    assert.ok(await attempt(whole, { released: [], drawn: [] }, 'all'))
    const { steps } = whole
    assert.ok(steps > 50, `${steps} steps`)
    let cuts = 0
    for (let n = 1; n <= steps; n++) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const disk = fakeDisk(rng(n * 100 + seed), lose), world: World = { released: [], drawn: [] }
        disk.cutAt = n
        if (!await attempt(disk, world, 'all')) {
          cuts++
          disk.restart()
          unlock(disk)
          assert.ok(await attempt(disk, world, 'all'))
        }
        await afterwards(disk, world)
      }
    }
    assert.is(cuts, steps * SEEDS)
  })
}

test('runs cut again and again at random, also while recovering: 200 sequences of faults', async () => {
  let cuts = 0
  for (let seed = 1; seed <= 200; seed++) {
    const random = rng(seed), disk = fakeDisk(random), world: World = { released: [], drawn: [] }
    const keep = random.int(0, 1) === 0 ? 'all' : random.int(1, 2)
    for (;;) {
      const calm = cuts > 0 && random.int(0, 5) === 0
      disk.cutAt = calm ? Infinity : disk.steps + random.int(1, 30)
      if (await attempt(disk, world, keep)) break
      cuts++
      disk.restart()
      unlock(disk)
      const lines = await nodeLedger(FOLDER, { disk, readOnly: true }).read()
      if (lines.length > 0) mustHold(lines, world.released)
      else assert.equal(world, { released: [], drawn: [] })
    }
    await afterwards(disk, world)
  }
  assert.ok(cuts > 400, `${cuts} cuts`)
})

// each sync is needed: without it some cut breaks a promise
for (const [title, without] of [
  ['file contents', (disk: FakeDisk): FakeDisk => ({ ...disk, sync: () => {}, get steps() { return disk.steps }, get cutAt() { return disk.cutAt }, set cutAt(n) { disk.cutAt = n } })],
  ['names', (disk: FakeDisk): FakeDisk => ({ ...disk, syncFolder: () => {}, get steps() { return disk.steps }, get cutAt() { return disk.cutAt }, set cutAt(n) { disk.cutAt = n } })],
] as const) {
  test(`the test can fail: without syncing ${title} some cut is noticed`, async () => {
    let failures = 0
    for (let seed = 1; seed <= 150; seed++) {
      const random = rng(seed), disk = without(fakeDisk(random)), world: World = { released: [], drawn: [] }
      disk.cutAt = random.int(20, 60)
      try {
        if (!await attempt(disk, world, 'all')) {
          disk.restart()
          unlock(disk)
          await attempt(disk, world, 'all')
        }
        await afterwards(disk, world)
      } catch {
        failures++
      }
    }
    assert.ok(failures > 10, `${failures}`)
  })
}

test.run()
