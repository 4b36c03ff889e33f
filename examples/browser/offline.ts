/**
 * The page without a network: a service worker that keeps the page's own files, so that a second visit needs no server. The
 * network comes first, so what is shown is never older than it must be; what is kept is one whole version of the page, whose
 * files all have the hashes that they were built with. Model files are not its business: `sotto/browser` keeps those.
 */

/** SHA-256 of the page's files, by path, and of them all; put in by build.mjs. */
declare const FILES: Readonly<Record<string, string>>
declare const VERSION: string

/** What TypeScript's library of pages leaves out. */
interface Waiting extends Event { waitUntil(work: Promise<unknown>): void }
interface Asked extends Waiting { readonly request: Request, respondWith(answer: Promise<Response>): void }
interface Scope {
  readonly registration: { readonly scope: string }
  addEventListener(type: 'install' | 'activate', listener: (event: Waiting) => void): void
  addEventListener(type: 'fetch', listener: (event: Asked) => void): void
  skipWaiting(): Promise<void>
}

const scope = globalThis as unknown as Scope
const PREFIX = 'sotto-page-', name = PREFIX + VERSION

/** Keeps all files, or none: one that is not what was built is of another version. */
async function keep(): Promise<void> {
  const files = await Promise.all(Object.entries(FILES).map(async ([path, expected]) => {
    const url = new URL(path, scope.registration.scope).href
    const response = await fetch(url, { cache: 'no-cache' })
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await response.clone().arrayBuffer()))
    const got = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('')
    if (!response.ok || response.redirected || got !== expected) throw new Error(`${url} expected the SHA-256 ${expected}, got ${got} with status ${response.status}`)
    return [url, response] as const
  }))
  const cache = await caches.open(name)
  await Promise.all(files.map(([url, response]) => cache.put(url, response)))
  await scope.skipWaiting()
}

async function removeOlder(): Promise<void> {
  for (const each of await caches.keys()) if (each.startsWith(PREFIX) && each !== name) await caches.delete(each)
}

/** The kept file for an address, with the headers that it came with: policy and isolation are as with a network. */
async function kept(url: URL): Promise<Response | undefined> {
  return (await caches.open(name)).match(url.href.replace(/[?#].*$/, '').replace(/\/$/, '/index.html'))
}

async function answer(request: Request, url: URL): Promise<Response> {
  try {
    return await fetch(request)
  } catch (error) {
    const file = await kept(url)
    if (file === undefined) throw error
    return file
  }
}

scope.addEventListener('install', event => event.waitUntil(keep()))
scope.addEventListener('activate', event => event.waitUntil(removeOlder()))
scope.addEventListener('fetch', event => {
  const { request } = event, url = new URL(request.url)
  const path = url.href.startsWith(scope.registration.scope) ? url.pathname.slice(new URL(scope.registration.scope).pathname.length) : undefined
  if (request.method === 'GET' && path !== undefined && (path === '' || path in FILES)) event.respondWith(answer(request, url))
})
