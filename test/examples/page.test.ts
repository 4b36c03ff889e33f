// slow: starts Chromium
/** The page for everyone: by keyboard, for screen readers, on a phone, dark and light, and when something is missing. */
import type { ServerResponse } from 'node:http'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { present } from './support.ts'
import { READY, until, valueOf as value, visit } from './visit.ts'

const css = readFileSync('examples/browser/style.css', 'utf8')


for (const {} of present('chromium')) {
  test('by keyboard alone: Tab goes through the page in its order, Enter and Space press; every control has a name', () => visit(async page => {
    await until(page, READY)
    const key = async (key: string, code: string, number: number, text?: string) => {
      await page('Input.dispatchKeyEvent', { type: 'keyDown', key, code, windowsVirtualKeyCode: number, ...text && { text } })
      await page('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode: number })
    }
    const focused = () => value(page, "(e => e.id || e.value || e.className || e.tagName)(document.activeElement)")
    const order: string[] = []
    for (let i = 0; i < 7; i++) {
      await key('Tab', 'Tab', 9)
      order.push(await focused())
    }
    assert.equal(order.slice(0, 6), ['skip', 'text', 'spam', 'ham', 'none', 'fill'])
    // back to the examples, and press
    await value(page, "document.getElementById('fill').focus()")
    await key('Enter', 'Enter', 13, '\r')
    await until(page, "document.querySelectorAll('.verdict:not([hidden])').length === 8")
    assert.is(await focused(), 'remove')
    await key(' ', 'Space', 32, ' ')
    await until(page, "document.querySelectorAll('#list > li').length === 7")
    assert.is(await focused(), 'remove', 'the focus goes on to the next mail')
    await key('Tab', 'Tab', 9)
    assert.is(await focused(), 'ham', 'the choice of the mail')
    const { nodes } = await page('Accessibility.getFullAXTree')
    const roles = new Set(['button', 'textbox', 'radio', 'progressbar', 'list', 'region', 'group', 'link', 'heading'])
    const shown = nodes.filter((node: any) => !node.ignored && roles.has(node.role?.value))
    assert.ok(shown.length > 50, String(shown.length))
    assert.equal(shown.filter((node: any) => !node.name?.value).map((node: any) => node.role.value), [])
    const names = shown.map((node: any) => node.name.value)
    for (const name of ['Your mails', 'Train on this device', 'Train the filter', 'Your mails and what the filter thinks of them', 'Forget everything']) assert.ok(names.includes(name), name)
  }))

  test('360 px wide nothing runs out of the page, and buttons are tall enough for a finger', () => visit(async page => {
    await page('Emulation.setDeviceMetricsOverride', { width: 360, height: 640, deviceScaleFactor: 2, mobile: true })
    await until(page, READY)
    await value(page, "document.getElementById('fill').click(); document.getElementById('result').hidden = false; for (const d of document.querySelectorAll('details')) d.open = true; document.getElementById('vector-hash').textContent = 'f'.repeat(64)")
    await until(page, "document.querySelectorAll('.verdict:not([hidden])').length === 8")
    assert.is(await value(page, 'document.documentElement.scrollWidth'), 360)
    assert.equal(await value(page, "[...document.querySelectorAll('button:not(.link):not(.remove)')].filter(b => b.offsetParent && b.offsetHeight < 44).map(b => b.textContent)"), [])
  }))

  test('a model that is not there, or that was changed, is said, and nothing can be pressed', async () => {
    const broken: [string, (response: ServerResponse) => void, RegExp][] = [
      ['missing', response => { response.writeHead(404).end() }, /A file could not be loaded. Check the connection and reload the page. \(.*"model.safetensors/],
      ['changed', response => { response.writeHead(200).end('not a model') }, /not the one that this page was made for: nothing of it was used.*SHA-256/],
    ]
    for (const [what, answer, said] of broken) {
      await visit(async page => {
        await until(page, "!document.getElementById('trouble').hidden")
        assert.match(await value(page, "document.getElementById('trouble').textContent"), said, what)
        assert.is(await value(page, "document.getElementById('status-text').textContent"), 'The filter could not be loaded.')
        assert.is(await value(page, "document.querySelectorAll('#mails button:not(:disabled), #train:not(:disabled)').length"), 0)
      }, { otherwise: (request, response) => request.url!.endsWith('model.safetensors') && (answer(response), true) })
    }
  })
}

/** An event of Chromium's own record; `tdur`: microseconds that its thread computed, whatever else ran on the machine. */
interface Event { readonly name: string, readonly ph: string, readonly pid: number, readonly tid: number, readonly tdur?: number, readonly args: { readonly name?: string } }

for (const {} of present('chromium')) {
  test('while the page trains, no task of its main thread computes for 50 ms; a task that does is seen', async () => {
    const events: Event[] = []
    let complete = () => {}
    await visit(async page => {
      /** The longest task of the page's main thread meanwhile, in milliseconds of its own processor time. */
      const longest = async (work: () => Promise<void>) => {
        const ended = new Promise<void>(resolve => { complete = resolve })
        events.length = 0
        await page('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', '__metadata'], excludedCategories: ['*'] } })
        await work()
        await page('Tracing.end')
        await ended
        const main = events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
        const tasks = events.filter(({ name, ph, pid, tid }) => ph === 'X' && name.endsWith('RunTask') && main.some(thread => thread.pid === pid && thread.tid === tid))
        assert.ok(main.length > 0 && tasks.length > 50 && tasks.some(({ tdur }) => tdur! > 0), `${main.length} threads, ${tasks.length} tasks`)
        return Math.max(...tasks.map(({ tdur }) => tdur ?? 0)) / 1000
      }
      const isOver = "document.querySelectorAll('.verdict.past:not([hidden])').length === 8 && !document.getElementById('train').hidden"
      await until(page, READY)
      await value(page, "document.getElementById('fill').click()")
      await until(page, "document.querySelectorAll('.verdict:not([hidden])').length === 8")
      // a collection of garbage may come in one of them
      const trainings: number[] = []
      for (let i = 0; i < 3; i++) {
        trainings.push(await longest(async () => {
          await value(page, "document.getElementById('train').click()")
          await until(page, isOver)
        }))
      }
      console.log(`\nNOTE: chromium: longest tasks of the main thread in three trainings: ${trainings.map(ms => ms.toFixed(0)).join(', ')} ms of its own time`)
      assert.ok(Math.min(...trainings) < 50, trainings.join(', '))
      const busy = 'setTimeout(() => { let x = 0; for (let i = 0; i < 3e8; i++) x += i; document.title = x > 0 ? "done" : "" }, 0)'
      assert.ok(await longest(async () => {
        await value(page, busy)
        await until(page, 'document.title === "done"')
        for (let i = 0; i < 60; i++) await value(page, 'new Promise(resolve => setTimeout(resolve, 0))')
      }) >= 50)
    }, { onEvent: (method, params) => {
      if (method === 'Tracing.dataCollected') for (const event of params.value) events.push(event)
      if (method === 'Tracing.tracingComplete') complete()
    } })
  })
}

test('text is readable in light and dark: contrast of at least 4.5 to 1 on every ground, edges of controls 3 to 1', () => {
  const [light, dark] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) => new Map([...body.matchAll(/--([\w-]+): (#[0-9a-f]+)/g)].map(([, name, colour]) => [name, colour])))
  for (const colours of [light, dark]) {
    const of = (name: string) => colours.get(name)!
    for (const ground of ['ground', 'card', 'tint', 'warn']) {
      for (const text of ['ink', 'soft']) assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}: ${contrast(of(text), of(ground)).toFixed(2)}`)
    }
    for (const ground of ['ground', 'card']) {
      for (const text of ['accent', 'spam', 'ham']) assert.ok(contrast(of(text), of(ground)) >= 4.5, `${text} on ${ground}: ${contrast(of(text), of(ground)).toFixed(2)}`)
      assert.ok(contrast(of('edge'), of(ground)) >= 3, `edge on ${ground}: ${contrast(of('edge'), of(ground)).toFixed(2)}`)
    }
    assert.ok(contrast(of('on-accent'), of('accent')) >= 4.5)
  }
  assert.match(css, /@media \(prefers-reduced-motion: reduce\) \{ \* \{ transition: none !important; animation: none !important; \} \}/)
  assert.match(css, /:focus-visible \{ outline: 3px/)
})

/** As WCAG 2 defines it. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const digits = colour.length === 4 ? [...colour.slice(1)].map(digit => digit + digit) : colour.slice(1).match(/../g)!
    const [red, green, blue] = digits.map(pair => parseInt(pair, 16) / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

test.run()
