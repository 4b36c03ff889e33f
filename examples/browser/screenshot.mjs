// Takes the pictures of the page in examples/browser: Chromium, told what to do over a pipe, uses the page as a visitor does.
//   node examples/browser/screenshot.mjs [FOLDER]
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, withPage } from '../../scripts/runtimes/devtools.mjs'
import { buildPage } from './build.mjs'
import { serve } from './serve.mjs'

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
