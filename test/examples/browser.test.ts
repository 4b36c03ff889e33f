// slow: starts browsers
/**
 * The page in real browsers, used through its own buttons (examples/browser/selftest.ts) under its content policy: it
 * trains to the bits of Node, changes its verdicts, can be paused, closed in the middle and cancelled, and stays responsive.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inNode, present, script, temporary } from './support.ts'

interface Outcome { readonly adapter: string, readonly contribution: string, readonly own: string, readonly samples: string }

interface Seen extends Outcome {
  readonly problems: readonly string[]
  readonly isolated: boolean
  readonly firstFacts: string
  readonly secondFacts: string
  readonly emptyError: string
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly undone: readonly string[]
  readonly movedWhilePaused: number
  readonly focusAfter: string
  readonly mainThread: readonly { readonly longTasks?: readonly number[], readonly gap: number, readonly longestGap: number, readonly held: number }[]
  readonly interruptedAt: number
  readonly wentOnAt: number
  readonly continues: string
  readonly again: Outcome
  readonly resultAfterCancel: boolean
  readonly labels: readonly string[]
}

const { buildPage } = await script<typeof import('../../examples/browser/build.mjs')>('examples/browser/build.mjs')
const { site, CONTENT_POLICY } = await script<typeof import('../../examples/browser/serve.mjs')>('examples/browser/serve.mjs')
const folder = await buildPage(temporary('page'))

// WebKitGTK's own small browser now and then crashes when a page with threads over shared memory is reloaded
const visits = [
  ...present('chromium', 'firefox').map(browser => ({ ...browser, isolated: true })),
  ...present('chromium', 'webkit').map(browser => ({ ...browser, isolated: false })),
]

for (const { name, run, isolated } of visits) {
  test(`${name}, ${isolated ? 'isolated: several threads' : 'not isolated: one thread'}: the page trains to the bits of Node and stays responsive`, async () => {
    const reference = await inNode()
    const answer = site(folder, isolated), asked: string[][] = [[], []]
    let visit = -1
    const seen = await run({ entry: 'examples/browser/selftest.ts' }, {
      timeout: 800, isolated,
      handle(request, response) {
        if (request.url === '/result') return false
        if (request.url === '/') return response.writeHead(302, { location: '/?selftest&threads=2' }).end(), true
        if (request.url!.startsWith('/?')) visit++
        asked[visit]?.push(request.url!)
        answer(request, response)
        return true
      },
    }) as Seen
    console.log(`\nNOTE: ${name}, ${isolated ? '' : 'not '}isolated: main thread while training: ${seen.mainThread.map(({ longTasks, gap, longestGap, held }) =>
      `${longTasks ? `tasks above 50 ms: ${longTasks.map(ms => ms.toFixed(0)).join(', ') || 'none'}; ` : ''}timer of 4 ms: 95 % within ${gap.toFixed(0)} ms, longest ${longestGap.toFixed(0)}, ${(100 * held).toFixed(0)} % of the time above 50`).join(' | ')}`)
    assert.equal(seen.problems, [], 'nothing is refused by the policy and nothing throws')
    assert.is(seen.isolated, isolated)
    assert.match(seen.firstFacts, isolated ? /downloaded and checked · 2 threads/ : /downloaded and checked · one thread/)
    assert.match(seen.emptyError, /no text yet/)
    // the filter changes, and other mail is still judged
    assert.is(seen.own, `${seen.before.filter((verdict, i) => verdict.startsWith(i < 4 ? 'not spam' : 'spam')).length} → ${reference.learned} of ${reference.mails}`)
    assert.ok(seen.before.some((verdict, i) => i < 4 && verdict.startsWith('spam')) && seen.after.every((verdict, i) => verdict.startsWith(i < 4 ? 'not spam' : 'spam')), seen.after.join(' | '))
    assert.is(seen.samples, `${reference.samplesBefore} → ${reference.samplesAfter} of ${reference.samples}`)
    // the same bits as in Node, and after an interruption in the middle
    assert.is(seen.adapter, reference.adapter)
    assert.is(seen.contribution, reference.contribution)
    assert.equal({ adapter: seen.again.adapter, contribution: seen.again.contribution }, { adapter: seen.adapter, contribution: seen.contribution })
    assert.is(seen.movedWhilePaused, 0)
    assert.ok(seen.interruptedAt >= 5 && seen.wentOnAt >= seen.interruptedAt, `${seen.interruptedAt}, ${seen.wentOnAt}`)
    assert.is(seen.continues, 'Continue the training')
    // undo, cancel, forget
    assert.equal(seen.undone, seen.before)
    assert.is(seen.resultAfterCancel, false)
    // what was loaded once is not loaded again
    assert.match(seen.secondFacts, /nothing was downloaded/)
    assert.ok(asked[0].some(url => url.endsWith('model.safetensors')))
    assert.equal(asked[1].filter(url => url.startsWith('/files/')), [])
    // other programs on this machine hold the page up now and then: steps on the main thread would do so all the time. How
    // long its tasks are by themselves is asked in page.test.ts
    assert.ok(seen.mainThread.length === 3 && seen.mainThread.some(({ gap, held }) => gap < 50 && held < 0.3), 'the main thread is free while the page trains')
    // for those who do not see it
    assert.equal(seen.labels, [])
    assert.is(seen.focusAfter, 'result-title')
  })
}

test('the content policy allows the page\'s own scripts and WebAssembly, nothing inline, no eval, no other origin', () => {
  assert.match(CONTENT_POLICY, /^default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; /)
  assert.not.match(CONTENT_POLICY, /'unsafe-inline'|'unsafe-eval'|https?:|blob:|\*/)
})

test.run()
