// slow: starts Chromium
/** The page without a network, without room and without SIMD: it trains to the same bits, and says what is missing. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inNode, present } from './support.ts'
import { READY, textOf, trainExamples, until, valueOf, visit } from './visit.ts'

const OFFLINE = 'navigator.serviceWorker.ready.then(() => true)'
/** Installs the page's service worker again, and says what became of it. */
const INSTALL = `navigator.serviceWorker.register('/offline.js').then(({ installing, waiting, active }) => new Promise(resolve => {
  const worker = installing ?? waiting ?? active, look = () => /activated|redundant/.test(worker.state) && resolve(worker.state)
  worker.addEventListener('statechange', look)
  look()
}))`

for (const {} of present('chromium')) {
  test('a second visit needs no server: page, threads, model and training, isolated as before, to the bits of Node', async () => {
    const reference = await inNode()
    await visit(async (page, { goOffline }) => {
      await until(page, READY)
      assert.is(await valueOf(page, OFFLINE), true)
      await goOffline()
      // what the browser itself keeps of answers is not meant here
      await page('Network.enable')
      await page('Network.setCacheDisabled', { cacheDisabled: true })
      await page('Page.reload')
      await until(page, `performance.getEntriesByType('navigation')[0].type === 'reload' && ${READY}`)
      assert.match(await textOf(page, 'status-facts'), /nothing was downloaded · 2 threads/)
      assert.is(await valueOf(page, 'crossOriginIsolated'), true)
      assert.is(await trainExamples(page), reference.adapter)
      // the policy is in force here too
      assert.match(await valueOf(page, "fetch('https://example.org/').then(() => 'answered', error => error.message)"), /fetch/)
      assert.equal(await valueOf(page, "caches.keys().then(names => names.filter(name => !/^sotto-page-[0-9a-f]{16}$/.test(name)))"), [])
      // what is forgotten is gone
      await valueOf(page, "document.getElementById('forget').click()")
      await until(page, "/forgotten/.test(document.getElementById('status-text').textContent)")
      await until(page, "navigator.serviceWorker.getRegistrations().then(all => all.length === 0)")
      assert.equal(await valueOf(page, 'caches.keys()'), [])
    })
  })

  test('files of two versions are never kept together: one that is not what was built leaves the page as it is', () => visit(async page => {
    await until(page, READY)
    assert.is(await valueOf(page, INSTALL), 'redundant')
    assert.equal(await valueOf(page, 'caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(cache => cache.keys()).then(keys => keys.length))))'), [])
  }, {
    otherwise(request, response) {
      if (request.url !== '/style.css') return false
      response.writeHead(200, { 'content-type': 'text/css' }).end('body { color: green }')
      return true
    },
  }))

  test('no room: the visitor is told that nothing is kept, and the training has the same bits', async () => {
    const reference = await inNode()
    await visit(async page => {
      await until(page, READY)
      assert.match(await textOf(page, 'trouble'), /^The filter works, but this browser could not keep its files \(could not be kept: QuotaExceededError\). They will be loaded again next time.$/)
      assert.is(await valueOf(page, "document.getElementById('trouble').hidden"), false)
      assert.is(await trainExamples(page), reference.adapter)
    }, { before: (page, origin) => page('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 }) })
  })

  test('no SIMD: the visitor is told, and the scalar build trains to the same bits', async () => {
    const reference = await inNode()
    await visit(async page => {
      await until(page, READY)
      assert.match(await textOf(page, 'status-facts'), /one thread · no SIMD here: slower, the same bits$/)
      assert.is(await trainExamples(page), reference.adapter)
    }, { flags: ['--js-flags=--no-enable-ssse3 --no-enable-sse4-1 --no-enable-avx'] })
  })
}

test.run()
