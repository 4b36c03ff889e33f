// slow: starts workerd
/**
 * The edge worker: trains in slices, one a request, and ends with the bits of Node although the process is ended in the
 * middle; within 128 MB, measured, since the local workerd sets no limit.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ownMails } from '../../examples/filter/mails.ts'
import { inNode, present, script, temporary } from './support.ts'

/** What is allowed for JavaScript and WebAssembly together. */
const LIMIT = 128
/** A slice of one step on a slow machine, in milliseconds of CPU; one that trained to the end would take ten times as long. */
const SLICE = 400

interface Answer { readonly status: number, readonly [key: string]: unknown }

const { buildEdge } = await script<typeof import('../../examples/edge/build.mjs')>('examples/edge/build.mjs')
const { startEdge } = await script<typeof import('../../examples/edge/serve.mjs')>('examples/edge/serve.mjs')

for (const {} of present('workerd')) {
  const folder = temporary('edge')

  test('in slices, over two processes: the bits of Node, within 128 MB, each slice a few hundred milliseconds of CPU at most', async () => {
    const reference = await inNode()
    await buildEdge(folder)
    const spent: number[] = []
    let last: Answer | undefined, peak = 0, memory = 0
    for (const stopAfter of [7, Infinity]) {
      const edge = await startEdge(folder)
      try {
        const idle = edge.memory().now
        // the first request of a process loads the model
        const first = await edge.ask(`/classify?text=${encodeURIComponent(ownMails[0].text)}`) as Answer
        assert.equal(first.trained, false)
        assert.ok((first.chances as number[])[0] > 0.5)
        for (let slices = 0; slices < stopAfter && last?.finished !== true; slices++) {
          const before = edge.cpu()
          last = await edge.ask('/train', last === undefined ? JSON.stringify({ mails: ownMails }) : '') as Answer
          spent.push(edge.cpu() - before)
          assert.is(last.status, 200, JSON.stringify(last))
          assert.is(last.done, spent.length, 'one step a slice')
        }
        memory = Math.max(memory, last!.memory as number)
        if (last!.finished === true) {
          const chances = (await edge.ask(`/classify?${ownMails.map(({ text }) => `text=${encodeURIComponent(text)}`).join('&')}`) as Answer).chances as number[]
          assert.ok(ownMails.every(({ label }, i) => (chances[i] > 0.5) === (label === 'spam')), chances.join(' '))
        } else assert.ok(((await edge.ask('/state') as Answer).saved as number) > 1000)
        peak = Math.max(peak, edge.memory().peak - idle)
      } finally {
        await edge.end()
      }
    }
    const sorted = [...spent].sort((a, b) => a - b)
    console.log(`\nNOTE: workerd: ${spent.length} slices of ${sorted[sorted.length >> 1].toFixed(0)} ms CPU (most ${sorted.at(-1)!.toFixed(0)}); module ${(memory / 1e6).toFixed(0)} MB, process ${peak.toFixed(0)} MB above idle`)
    assert.is(last!.adapter, reference.adapter)
    assert.is(last!.contribution, reference.contribution)
    assert.ok(memory < 48e6, `module's memory ${memory}`)
    assert.ok(peak < LIMIT, `process ${peak} MB above idle`)
    assert.ok(sorted[sorted.length >> 1] < SLICE, `slices of ${sorted[sorted.length >> 1]} ms`)
  })

  test('mailboxes that train at the same time in one process each keep what they would have come to alone', async () => {
    const mails = [ownMails.slice(0, 4), ownMails.slice(4, 8), ownMails.slice(0, 4), ownMails.slice(4, 8)]
    const asked = ownMails.map(({ text }) => `text=${encodeURIComponent(text)}`).join('&')
    const edge = await startEdge(folder)
    try {
      const train = async (mailbox: number) => {
        for (let answer: Answer | undefined; answer?.finished !== true;) {
          answer = await edge.ask(`/train?mailbox=m${mailbox}`, answer === undefined ? JSON.stringify({ mails: mails[mailbox] }) : '') as Answer
          assert.is(answer.status, 200, JSON.stringify(answer))
        }
      }
      const chances = async (mailbox: number) => (await edge.ask(`/classify?mailbox=m${mailbox}&${asked}`) as Answer).chances
      await Promise.all([train(0), train(1)])
      await train(2)
      await train(3)
      assert.equal(await chances(0), await chances(2))
      assert.equal(await chances(1), await chances(3))
      assert.not.equal(await chances(0), await chances(1))
    } finally {
      await edge.end()
    }
  })

  test('a new start is published in the middle: what was kept belongs to the old one, so the mailbox begins anew and says so', async () => {
    const mails = JSON.stringify({ mails: ownMails.slice(0, 2) }), start = join(folder, 'files/start/adapter_model.safetensors')
    const before = readFileSync(start), after = Uint8Array.from(before)
    after[after.length - 4] ^= 1
    let edge = await startEdge(folder), done = 0
    try {
      done = (await edge.ask('/train?mailbox=kept', mails) as Answer).done as number
    } finally {
      await edge.end()
    }
    writeFileSync(start, after)
    edge = await startEdge(folder)
    try {
      const finish = async (mailbox: string, answer: Answer) => {
        while (answer.finished !== true) answer = await edge.ask(`/train?mailbox=${mailbox}`, '') as Answer
        return answer.adapter
      }
      const anew = await edge.ask('/train?mailbox=kept', '') as Answer
      assert.equal([anew.status, anew.done], [200, done])
      assert.match(anew.begunAnew as string, /"saved" expected this training, got one of another plan/)
      assert.is(await finish('kept', anew), await finish('fresh', await edge.ask('/train?mailbox=fresh', mails) as Answer))
    } finally {
      await edge.end()
      writeFileSync(start, before)
    }
  })

  test('what is not a mail, or comes to another door, is refused and said', async () => {
    const edge = await startEdge(folder)
    try {
      for (const [target, body, status, message] of [
        ['/train?mailbox=other', '{"mails": []}', 400, /mails expected/], ['/train?mailbox=other', '{', 400, /./], ['/train?mailbox=other', '', 400, /with the first request/],
        ['/train?mailbox=other', '{"mails": [{"text": "a", "label": "perhaps"}]}', 400, /mails expected/], ['/classify', undefined, 400, /text expected/], ['/nothing', undefined, 404, /expected POST/],
      ] as const) {
        const answer = await edge.ask(target, body) as Answer
        assert.is(answer.status, status)
        assert.match(answer.error as string, message)
      }
    } finally {
      await edge.end()
    }
  })
}

test.run()
