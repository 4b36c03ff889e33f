/** The page of the examples, opened in Chromium by commands of the DevTools protocol. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { script, temporary } from './support.ts'

/** A command of the DevTools protocol. */
export type Page = (method: string, params?: object) => Promise<any>

const { buildPage } = await script<typeof import('../../examples/browser/build.mjs')>('examples/browser/build.mjs')
const { site } = await script<typeof import('../../examples/browser/serve.mjs')>('examples/browser/serve.mjs')
export const { until, valueOf, withPage } = await script<typeof import('../../scripts/runtimes/devtools.mjs')>('scripts/runtimes/devtools.mjs')
const folder = await buildPage(temporary('page'))

/** What a visit gets beside the page. */
export interface Visit {
  readonly origin: string
  /** Opens another page of the same browser. */
  readonly tab: (url: string) => Promise<Page>
  /** Ends the server: from now on there is no network. */
  readonly goOffline: () => Promise<void>
}

/** How a visit differs. */
export interface Manner {
  /** Answers some requests otherwise. */
  readonly otherwise?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Of the browser. */
  readonly flags?: string[]
  /** A script that runs before the page's own. */
  readonly first?: string
  /** Hears what the browser tells. */
  readonly onEvent?: (method: string, params: any) => void
  /** Done before the page is opened. */
  readonly before?: (page: Page, origin: string) => Promise<void>
}

/** Opens the page from a server of its own. */
export async function visit(use: (page: Page, visit: Visit) => Promise<void>, { otherwise = () => false, before, ...options }: Manner = {}): Promise<void> {
  const answer = site(folder)
  const server = createServer((request, response) => { if (!otherwise(request, response)) answer(request, response) })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const goOffline = () => new Promise<void>(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  try {
    await withPage('about:blank', async (page, tab) => {
      await before?.(page, origin)
      await page('Page.navigate', { url: `${origin}/?threads=2` })
      await use(page, { tab, origin, goOffline })
    }, options)
  } finally {
    await goOffline()
  }
}

export const READY = "/ready/.test(document.getElementById('status-text')?.textContent)"

export const textOf = (page: Page, id: string): Promise<string> => valueOf(page, `document.getElementById('${id}').textContent`)

/** Presses a button that can be pressed. */
export async function press(page: Page, id: string): Promise<void> {
  await valueOf(page, `(button => { if (button.disabled || button.hidden) throw new Error('${id} cannot be pressed'); button.click() })(document.getElementById('${id}'))`)
}

/** Takes the eight examples, trains, and gives the adapter's hash. */
export async function trainExamples(page: Page): Promise<string> {
  await press(page, 'fill')
  await until(page, "document.querySelectorAll('.verdict:not([hidden])').length === 8")
  await press(page, 'train')
  await until(page, "!document.getElementById('result').hidden && !document.getElementById('train').hidden")
  return textOf(page, 'adapter-hash')
}
