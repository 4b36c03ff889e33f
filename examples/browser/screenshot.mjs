// Takes the pictures of the page in examples/browser: Chromium, told what to do over a pipe, uses the page as a visitor does.
//   node examples/browser/screenshot.mjs [FOLDER]
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../scripts/runtimes/index.mjs'
import { Crash, restarting, start, within, withFolder } from '../../scripts/runtimes/process.mjs'
import { buildPage } from './build.mjs'
import { serve } from './serve.mjs'

/** Opens a page in Chromium; `use` gets a function that sends a command of the DevTools protocol. */
export async function withPage(url, use) {
  const { path, missing } = runtime('chromium').find()
  if (missing) throw new Error(`chromium expected to be installed: ${missing}`)
  return restarting('chromium', () => withFolder(async (folder) => {
    const browser = start([path, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--hide-scrollbars', `--user-data-dir=${folder}`, '--remote-debugging-pipe', 'about:blank'],
    { cwd: folder, env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder }, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] })
    const waiting = new Map()
    let text = '', number = 0
    browser.child.stdio[4].on('data', (chunk) => {
      text += chunk
      for (let end = text.indexOf('\0'); end >= 0; end = text.indexOf('\0')) {
        const { id, result, error } = JSON.parse(text.slice(0, end))
        text = text.slice(end + 1)
        waiting.get(id)?.(error ? Promise.reject(new Error(error.message)) : result)
      }
    })
    const died = browser.ended.then((how) => { throw new Error(`chromium expected a command, but it ${how}`) })
    died.catch(() => {})
    browser.child.stdio[3].on('error', () => {})
    const send = (method, params = {}, sessionId = undefined) => within(120, method, Promise.race([died, new Promise((resolve) => {
      waiting.set(++number, resolve)
      browser.child.stdio[3].write(`${JSON.stringify({ id: number, method, params, sessionId })}\0`)
    })]))
    try {
      const { targetId } = await send('Target.createTarget', { url: 'about:blank' }).catch((error) => { throw new Crash(error.message) })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const page = (method, params) => send(method, params, sessionId)
      await page('Page.enable')
      await page('Page.navigate', { url })
      return await use(page)
    } finally {
      await browser.end()
    }
  }))
}

/** Waits until an expression holds in the page. */
export async function until(page, expression, seconds = 240) {
  for (const end = Date.now() + 1000 * seconds; ;) {
    const { result: { value } } = await page('Runtime.evaluate', { expression: `Boolean(${expression})` })
    if (value) return
    if (Date.now() > end) throw new Error(`the page expected ${expression} within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Width, whether dark, and the scale of the picture. */
const PICTURES = { 'screenshot.png': [800, false, 0.75], 'screenshot-dark.png': [800, true, 0.5], 'screenshot-phone.png': [360, false, 0.75] }

/** Mails that are taken out of the list, so that a picture shows all of the page. */
const REMOVED = [0, 2, 4, 5, 6]

async function pictures(folder) {
  const { origin, close } = await serve(await buildPage())
  try {
    await withPage(origin, async (page) => {
      const press = (id) => page('Runtime.evaluate', { expression: `document.getElementById('${id}').click()` })
      await until(page, "/ready/.test(document.getElementById('status-text').textContent)")
      await press('fill')
      await until(page, "document.querySelectorAll('.verdict:not([hidden])').length === 8")
      await press('train')
      await until(page, "document.querySelectorAll('.verdict.past:not([hidden])').length === 8")
      await page('Runtime.evaluate', { expression: `for (const i of ${JSON.stringify([...REMOVED].reverse())}) document.querySelectorAll('.remove')[i].click()
        document.getElementById('leaves').open = true; document.activeElement.blur()` })
      for (const [name, [width, dark, scale]] of Object.entries(PICTURES)) {
        await page('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 })
        await page('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }] })
        await new Promise((resolve) => setTimeout(resolve, 900))
        const { cssContentSize } = await page('Page.getLayoutMetrics')
        const { data } = await page('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true, clip: { x: 0, y: 0, width, height: cssContentSize.height, scale } })
        writeFileSync(join(folder, name), Buffer.from(data, 'base64'))
      }
    })
  } finally {
    await close()
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await pictures(process.argv[2] ?? fileURLToPath(new URL('.', import.meta.url)))
