/** Words and numbers of the page. */
import type { ToWorker } from './messages.ts'

export function byId<T extends HTMLElement = HTMLElement>(id: string): T { return document.getElementById(id) as T }

export function count(n: number, what: string): string { return `${n} ${what}${n === 1 ? '' : 's'}` }

export function percentText(chance: number): string { return `${(100 * chance).toFixed(0)} %` }

export function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1000
  return seconds < 10 ? `${seconds.toFixed(1)} s` : seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`
}

/** What went wrong, and what the visitor can do. */
export function failureText(doing: ToWorker['kind'], message: string): string {
  const advice = /SHA-256/.test(message) ? 'The file on the server is not the one that this page was made for: nothing of it was used. Reload later, or tell whoever runs the page.'
    : /status \d+|fetch|network|got n(one|either)/i.test(message) ? 'A file could not be loaded. Check the connection and reload the page.'
      : /WebAssembly|SIMD|wasm/.test(message) ? 'This browser cannot run the filter. A current version of Chrome, Edge, Firefox or Safari can.'
        : /memory/i.test(message) ? 'There is not enough memory. Close other pages and reload this one.'
          : doing === 'train' ? 'The training was stopped and the filter is as it was.' : 'Reload the page to try again.'
  return `${advice} (${message})`
}
