// slow: starts Chromium
/** What strangers do to the page: odd texts, the same mail twice, one label alone, two tabs, a reload in the middle; and axe. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inNode, present, script } from './support.ts'
import { press, READY, textOf, trainExamples, until, valueOf, visit } from './visit.ts'
import type { Page } from './visit.ts'

const { home } = await script<typeof import('../../scripts/runtimes/install.mjs')>('scripts/runtimes/install.mjs')

const add = (page: Page, text: string, label = 'spam'): Promise<unknown> =>
  valueOf(page, `document.getElementById('text').value = ${JSON.stringify(text)}; document.querySelector('#mails button[value=${label}]').click()`)
const judged = (count: number): string => `document.querySelectorAll('.verdict:not([hidden])').length === ${count}`
async function pause(page: Page): Promise<void> {
  await press(page, 'pause')
  await until(page, "document.getElementById('pause').textContent === 'Resume'")
}

const titles = (page: Page): Promise<string[]> => valueOf(page, "[...document.querySelectorAll('#list h3')].map(title => title.textContent)")

const HTML = '<script>alert(1)</script><img src=x onerror="document.title = \'owned\'">'

for (const {} of present('chromium')) {
  test('texts of any kind are shown as text, judged and trained on; nothing of them becomes markup', () => visit(async page => {
    await page('Emulation.setDeviceMetricsOverride', { width: 360, height: 640, deviceScaleFactor: 1, mobile: true })
    await until(page, READY)
    const odd = ['x'.repeat(100_000), 'words '.repeat(20_000), '😀🎉👩‍👩‍👧\n🎈 party', 'שלום עולם\nמכתב (עם סוגריים) 123', HTML, '\u202egnp.exe\nbidi', '\ud800', 'a\u0000b', '&amp; &lt;b&gt;', '- -', `a${'😀'.repeat(300)}`]
    for (const text of odd) await add(page, text)
    await until(page, judged(odd.length))
    assert.is(await valueOf(page, "document.getElementById('trouble').hidden"), true, await textOf(page, 'trouble'))
    const shown = await titles(page)
    assert.is(shown[4], HTML)
    assert.is(shown[8], '&amp; &lt;b&gt;')
    assert.is(await valueOf(page, "getComputedStyle(document.querySelectorAll('#list h3')[3]).direction"), 'rtl')
    assert.is(await valueOf(page, "document.querySelectorAll('#list img, #list script').length"), 0)
    assert.is(await valueOf(page, 'document.title'), 'A mail filter that learns here')
    // no letter is cut in two, and nothing runs out of the page
    assert.ok(shown.every((title, i) => i === 6 || !/\p{Surrogate}/u.test(title)), 'a title ends within a letter')
    assert.is(await valueOf(page, 'document.documentElement.scrollWidth'), 360)
    await add(page, ' \n\t ')
    assert.match(await textOf(page, 'text-error'), /no text yet/)
    await press(page, 'train')
    await until(page, "!document.getElementById('result').hidden")
    assert.match(await textOf(page, 'adapter-hash'), /^[0-9a-f]{64}$/)
  }))

  test('the same mail twice, and one label alone: both are trained on; a training that is cancelled at once leaves nothing', () => visit(async page => {
    await until(page, READY)
    await add(page, 'Cheese club\ntasting on Friday', 'ham')
    await add(page, 'Cheese club\ntasting on Friday', 'ham')
    await until(page, judged(2))
    const before = await valueOf(page, "document.querySelector('.word').textContent")
    await valueOf(page, "document.getElementById('train').click(); document.getElementById('cancel').click()")
    await until(page, "!document.getElementById('train').hidden && document.getElementById('result').hidden")
    assert.is(await valueOf(page, "document.getElementById('trouble').hidden"), true)
    assert.is(await valueOf(page, "document.querySelector('.word').textContent"), before)
    await press(page, 'train')
    await until(page, "!document.getElementById('result').hidden")
    assert.match(await textOf(page, 'result-text'), /^2 mails taught/)
  }))

  test('a reload in the middle: the training goes on where it was, to the bits of one that was not disturbed', async () => {
    const reference = await inNode()
    await visit(async page => {
      await until(page, READY)
      await press(page, 'fill')
      await until(page, judged(8))
      await press(page, 'train')
      await until(page, "/Step [3-9]/.test(document.getElementById('progress-text').textContent)")
      await pause(page)
      await page('Page.reload')
      await until(page, "/go on where it was/.test(document.getElementById('status-text')?.textContent)")
      await until(page, judged(8))
      assert.is(await textOf(page, 'train'), 'Continue the training')
      await press(page, 'train')
      await until(page, "/Step \\d/.test(document.getElementById('progress-text').textContent)")
      assert.ok(Number(/Step (\d+)/.exec(await textOf(page, 'progress-text'))![1]) >= 3)
      await until(page, "!document.getElementById('result').hidden && !document.getElementById('train').hidden")
      assert.is(await textOf(page, 'adapter-hash'), reference.adapter)
    })
  })

  test('two tabs at the same time: both load and train, to the same bits', async () => {
    const reference = await inNode()
    await visit(async (page, { tab, origin }) => {
      const other = await tab(`${origin}/?threads=2`)
      await Promise.all([until(page, READY), until(other, READY)])
      assert.equal(await Promise.all([trainExamples(page), trainExamples(other)]), [reference.adapter, reference.adapter])
      for (const each of [page, other]) assert.is(await valueOf(each, "document.getElementById('trouble').hidden"), true)
    })
  })

  const axe = join(home, 'bundlers/node_modules/axe-core/axe.min.js')
  if (!existsSync(axe)) console.log('\nSKIPPED: axe: run node scripts/runtimes/install.mjs bundlers')
  else {
    test('axe finds nothing: open, with mails, while training and after, on a phone and a desk, light and dark', () => visit(async page => {
      const judge = async (state: string): Promise<void> => {
        for (const [width, scheme] of [[360, 'light'], [360, 'dark'], [1100, 'light'], [1100, 'dark']] as const) {
          await page('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 })
          await page('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }, { name: 'prefers-reduced-motion', value: 'reduce' }] })
          const found = await valueOf(page, `axe.run({ resultTypes: ['violations'] }).then(({ violations, passes }) => ({ passes: passes.length,
            violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(node => node.html.slice(0, 200)).join(' | ')) }))`) as { violations: string[], passes: number }
          assert.equal(found.violations, [], `${state}, ${width} px, ${scheme}`)
          assert.ok(found.passes > 15, String(found.passes))
        }
      }
      await until(page, READY)
      await page('Runtime.evaluate', { expression: readFileSync(axe, 'utf8') })
      await judge('open')
      await add(page, '')
      await press(page, 'fill')
      await until(page, judged(8))
      await judge('with mails')
      await press(page, 'train')
      await until(page, "/Step \\d/.test(document.getElementById('progress-text').textContent)")
      await pause(page)
      await judge('paused')
      await press(page, 'pause')
      await until(page, "!document.getElementById('result').hidden")
      await valueOf(page, "for (const each of document.querySelectorAll('details')) each.open = true")
      await judge('after')
      // it does find something where there is something to find
      await valueOf(page, "document.getElementById('text').removeAttribute('aria-describedby'); document.querySelector('label[for=text]').remove(); document.getElementById('text').placeholder = ''")
      const broken = await valueOf(page, 'axe.run().then(({ violations }) => violations.map(({ id }) => id))') as string[]
      assert.ok(broken.includes('label'), broken.join())
    }))
  }
}

test.run()
