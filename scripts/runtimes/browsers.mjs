// Browsers without a driver: a page from a local server does the work and posts what came out; the browser has a fresh
// profile and ends with its whole process group.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianVersion, once, program, versionOf } from './find.mjs'
import { Crash, restarting, start, within, withFolder } from './process.mjs'
import { serveFolder } from './server.mjs'
import { resultOf, stage } from './stage.mjs'

const pageScript = readFileSync(new URL('./ground/page.js', import.meta.url), 'utf8')

/** Seconds that a browser gets to ask for its page. */
const START = 60

/** What makes a page cross-origin isolated: only then may threads share memory. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp', 'cross-origin-resource-policy': 'same-origin' }

/** The document; `thread` says where the program runs. */
const document = (thread, body) => `<!doctype html>
<html lang="en" data-thread="${thread}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>a program runs</title>
${body}
<script type="module" src="/run/page.js"></script>
</html>
`

/**
 * @param {string} name
 * @param {() => { path: string, version: string } | { missing: string }} find
 * @param {(path: string, url: string, profile: string, flags: string[]) => string[]} command
 * @param {{ display?: boolean, env?: Record<string, string>, prepare?: (profile: string, preferences: Record<string, unknown>) => void }} [options] - display: needs an X server
 * @returns {import('./index.mjs').Runtime}
 */
function browser(name, find, command, { display = false, env: own = {}, prepare = () => {} } = {}) {
  const found = once(find)
  return Object.freeze({
    name, find: found,
    run: (application, options = {}) => restarting(name, () => withFolder(async (folder) => {
      const { timeout = 180, flags = [], env = {}, isolated = true, headers = {}, thread = 'worker', body = '', preferences = {}, handle } = options
      const { path, missing } = found()
      if (missing) throw new Error(`${name} expected to be installed: ${missing}`)
      const stageFolder = join(folder, 'stage'), profile = join(folder, 'profile')
      mkdirSync(stageFolder)
      mkdirSync(profile)
      prepare(profile, preferences)
      if (application !== undefined) {
        await stage(stageFolder, application, { ground: 'browser.mjs' })
        writeFileSync(join(stageFolder, 'run/page.js'), pageScript)
      }
      const server = await serveFolder(stageFolder, { headers: { ...isolated ? ISOLATED : {}, ...headers }, page: document(thread, body), handle })
      const screen = display ? await openScreen(folder) : undefined
      const home = { HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile, XDG_DATA_HOME: profile, XDG_RUNTIME_DIR: profile, TMPDIR: profile }
      const program = start(command(path, `${server.origin}/`, profile, flags),
        { cwd: folder, env: { ...process.env, ...home, ...screen && { DISPLAY: screen.name }, ...own, ...env } })
      try {
        const died = program.ended.then((how) => { throw new Crash(`${name} expected a result, but it ${how}`) })
        await within(START, name, Promise.race([server.asked, died])).catch((error) => { throw new Crash(error.message) })
        return resultOf(name, await within(timeout, name, Promise.race([server.result, died]))
          // a handler has seen requests already: what died on the way cannot begin again
          .catch((error) => { throw handle && error instanceof Crash ? new Error(error.message) : error }))
      } catch (error) {
        if (program.output() !== '') error.message += `\n${program.output().slice(-3000)}`
        throw error
      } finally {
        await program.end()
        await screen?.close()
        await server.close()
      }
    })),
  })
}

/** A virtual screen. */
async function openScreen(folder) {
  const server = start(['Xvfb', '-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'],
    // it takes its lock file away itself
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], grace: 3000 })
  const number = new Promise((resolve) => { server.child.stdio[3].once('data', (text) => resolve(String(text).trim())) })
  const died = server.ended.then((how) => { throw new Error(`Xvfb expected to open a screen, but it ${how}\n${server.output()}`) })
  try {
    return { name: `:${await within(START, 'Xvfb', Promise.race([number, died]))}`, close: () => server.end() }
  } catch (error) {
    await server.end()
    throw new Crash(error.message)
  }
}

const CHROMIUM = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-breakpad', '--disable-crash-reporter', '--mute-audio']

const chromium = browser('chromium', () => {
  const path = program(process.env.CHROME) ?? program('chromium') ?? program('google-chrome') ?? program('chromium-browser')
  if (path === undefined) return { missing: 'apt install chromium, or set CHROME to its path' }
  const version = versionOf([path, '--version'])
  return version === undefined ? { missing: `${path} --version does not run here` } : { path, version }
}, (path, url, profile, flags) => [path, ...CHROMIUM, `--user-data-dir=${profile}`, ...flags, url])

/** What would open other pages, ask or phone home. */
const FIREFOX = {
  'browser.shell.checkDefaultBrowser': false, 'browser.startup.page': 0, 'browser.aboutwelcome.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false, 'datareporting.policy.firstRunURL': '', 'toolkit.telemetry.reportingpolicy.firstRun': false,
  'app.update.enabled': false, 'app.normandy.enabled': false, 'browser.safebrowsing.update.enabled': false, 'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false, 'services.settings.server': 'http://127.0.0.1:9/', 'browser.sessionstore.resume_from_crash': false,
}

const firefox = browser('firefox', () => {
  const path = program(process.env.FIREFOX) ?? program('firefox-esr') ?? program('firefox')
  if (path === undefined) return { missing: 'apt install firefox-esr, or set FIREFOX to its path' }
  const version = versionOf([path, '--version'])
  return version === undefined ? { missing: `${path} --version does not run here` } : { path, version }
}, (path, url, profile, flags) => [path, '--headless', '--no-remote', '--profile', profile, ...flags, url], {
  prepare: (profile, preferences) => writeFileSync(join(profile, 'user.js'),
    Object.entries({ ...FIREFOX, ...preferences }).map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});\n`).join('')),
})

/** Where Debian and its like put WebKitGTK's own small browser. */
function miniBrowser() {
  for (const base of ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/libexec', '/usr/lib']) {
    const folder = existsSync(base) ? readdirSync(base).find((name) => /^webkit(2)?gtk-/.test(name) && existsSync(join(base, name, 'MiniBrowser'))) : undefined
    if (folder) return join(base, folder, 'MiniBrowser')
  }
  return undefined
}

const webkit = browser('webkit', () => {
  const path = program(process.env.WEBKIT) ?? miniBrowser()
  if (path === undefined || program('Xvfb') === undefined) return { missing: 'apt install webkit2gtk-driver xvfb xauth, or set WEBKIT to a MiniBrowser' }
  const library = /webkit2?gtk-([\d.]+)/.exec(path)?.[1]
  return { path, version: debianVersion(library ? `libwebkit2gtk-${library}-0` : 'webkit2gtk-driver') ?? 'of unknown version' }
  // shared memory is behind a switch in this build; Safari has it on
}, (path, url, _profile, flags) => [path, ...flags, url], { display: true, env: { JSC_useSharedArrayBuffer: '1', WEBKIT_DISABLE_COMPOSITING_MODE: '1', GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1' } })

const cog = browser('cog', () => {
  const path = program('cog')
  if (path === undefined) return { missing: 'apt install cog' }
  return { path, version: debianVersion('libwpewebkit-1.1-0') ?? versionOf([path, '--version']) ?? 'of unknown version' }
}, (path, url, _profile, flags) => [path, '--platform=headless', ...flags, url], { env: { NO_AT_BRIDGE: '1' } })

export const browserRuntimes = [chromium, firefox, webkit, cog]
