// Chromium, told what to do over a pipe: for tests that use a page as its visitor does, and for pictures of it.
import { runtime } from './index.mjs'
import { Crash, pause, restarting, start, within, withFolder } from './process.mjs'

/**
 * Opens a page in Chromium.
 *
 * @template T
 * @param {string} url
 * @param {(page: (method: string, params?: object) => Promise<any>, tab: (url: string) => Promise<any>) => Promise<T>} use - `page`
 *   sends a command of the DevTools protocol to the page; `tab` opens another page in the same browser
 * @param {{ flags?: string[], first?: string, onEvent?: (method: string, params: any) => void }} [options] - first: a script that runs
 *   in the page before its own; onEvent: hears what the browser tells
 * @returns {Promise<T>}
 */
export async function withPage(url, use, { flags = [], first, onEvent = () => {} } = {}) {
  const { path, missing } = runtime('chromium').find()
  if (missing) throw new Error(`chromium expected to be installed: ${missing}`)
  return restarting('chromium', () => withFolder(async (folder) => {
    const browser = start([path, '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--hide-scrollbars', `--user-data-dir=${folder}`, ...flags, '--remote-debugging-pipe', 'about:blank'],
    { cwd: folder, env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder }, stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'] })
    const waiting = new Map()
    let text = '', number = 0
    browser.child.stdio[4].setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      for (let end = text.indexOf('\0'); end >= 0; end = text.indexOf('\0')) {
        const { id, result, error, method, params } = JSON.parse(text.slice(0, end))
        text = text.slice(end + 1)
        if (method !== undefined) onEvent(method, params)
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
      const tab = async (address) => {
        const { targetId } = await send('Target.createTarget', { url: 'about:blank' }).catch((error) => { throw number === 1 ? new Crash(error.message) : error })
        const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
        const page = (method, params) => send(method, params, sessionId)
        await page('Page.enable')
        if (first !== undefined) await page('Page.addScriptToEvaluateOnNewDocument', { source: first })
        await page('Page.navigate', { url: address })
        return page
      }
      return await use(await tab(url), tab)
    } finally {
      await browser.end()
    }
  }))
}

/** The value of an expression in the page. */
export async function valueOf(page, expression) {
  const { result, exceptionDetails } = await page('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true, userGesture: true })
  if (exceptionDetails) throw new Error(`the page expected the value of ${expression}, got ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
  return result.value
}

/** Waits until an expression holds in the page; gives its value, true or a text. */
export async function until(page, expression, seconds = 240) {
  // between two documents there is nothing that could be asked
  const ask = (text) => page('Runtime.evaluate', { expression: text, awaitPromise: true, returnByValue: true }).then(({ result }) => result.value, (error) => {
    if (!/context|navigat|collected/i.test(error.message)) throw error
  })
  for (const end = Date.now() + 1000 * seconds; ;) {
    const value = await ask(expression)
    if (value === true || typeof value === 'string' && value !== '') return value
    if (Date.now() > end) throw new Error(`the page expected ${expression} within ${seconds} s; it says: ${await ask('document.body?.innerText.slice(0, 1500)')}`)
    await pause(100)
  }
}
