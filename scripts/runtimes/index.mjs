// Every runtime that the project is tested in, behind one interface. To see what is here, and what is missing:
// node scripts/runtimes/index.mjs
import { fileURLToPath } from 'node:url'
import { browserRuntimes } from './browsers.mjs'
import { jsc } from './jsc.mjs'
import { current, processRuntimes } from './processes.mjs'
import { workerd } from './workerd.mjs'

export { install } from './install.mjs'
export { current }

/**
 * @typedef {object} Runtime
 * @property {string} name - node20, deno, chromium ...
 * @property {() => { path: string, version: string } | { missing: string }} find - where it is, or how to get it
 * @property {(program: import('./stage.mjs').Program | undefined, options?: RunOptions) => Promise<unknown>} run - runs a program; gives
 *   what its `main` returned, throws what it threw, and leaves neither processes nor files. A browser without a program shows
 *   what `handle` answers
 */

/**
 * @typedef {object} RunOptions
 * @property {number} [timeout] - seconds from the start, in browsers from the page's; default 180; emulated processors get six times as much
 * @property {string[]} [flags] - of the runtime, e.g. ['--liftoff-only']
 * @property {Record<string, string>} [env] - environment on top of ours
 * @property {boolean} [isolated] - browsers: with the headers that allow shared memory (default)
 * @property {Record<string, string>} [headers] - browsers: further headers of every answer
 * @property {'worker' | 'page'} [thread] - browsers: where `main` runs, default a dedicated worker
 * @property {string} [body] - browsers: HTML of the page
 * @property {Record<string, unknown>} [preferences] - Firefox: on top of ours
 * @property {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => boolean} [handle] -
 *   browsers and workerd: answers requests in place of the server's files
 */

/** @type {readonly Runtime[]} */
export const runtimes = Object.freeze([...processRuntimes.slice(0, 6), workerd, ...browserRuntimes.slice(0, 3), jsc, ...processRuntimes.slice(6), browserRuntimes[3]].map(among))

/** SOTTO_ONLY names those that may be used, separated by commas: what is installed and yet does not start is left out so. */
function among(each) {
  const only = process.env.SOTTO_ONLY?.split(',')
  if (only === undefined || only.includes(each.name)) return each
  return Object.freeze({ ...each, find: () => ({ missing: 'SOTTO_ONLY leaves it out, where it is not here or does not run: apt install it, or run node scripts/runtimes/install.mjs' }) })
}

/** @returns {Runtime} */
export function runtime(name) {
  const found = runtimes.find((each) => each.name === name)
  if (found === undefined) throw new RangeError(`"runtime" expected one of ${runtimes.map((each) => each.name).join(', ')}, got ${name}`)
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, find } of runtimes) {
    const { version, path, missing } = find()
    console.log(`${name.padEnd(12)}${missing ? `missing: ${missing}` : `${version.padEnd(18)}${path}`}`)
  }
}
