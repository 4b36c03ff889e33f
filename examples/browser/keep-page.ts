/** The page's own files in this browser: kept by a service worker (offline.ts), so that the page opens without a network. */

/** Keeps the page for its next visit; where that is not to be had (a private window, no https) it is loaded again. */
export function keepPage(): void {
  navigator.serviceWorker?.register(new URL('../offline.js', import.meta.url)).catch(() => {})
}

/** Removes what is kept of the page. */
export async function forgetPage(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  await registration?.unregister()
  for (const name of await globalThis.caches?.keys() ?? []) if (name.startsWith('sotto-page-')) await caches.delete(name)
}
