// Installs what the tests run the package in or through: the runtimes that come as npm packages, in runtimes/node_modules
// and runtimes/arm64/node_modules (1.4 GB, about half a minute), and the bundlers in runtimes/bundlers/node_modules (180 MB);
// what is there already stays. Browsers and qemu come from the system's package manager.
//   node scripts/runtimes/install.mjs [runtimes | bundlers]
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the runtimes' own package; SOTTO_RUNTIMES names another, e.g. one that is kept between runs of CI. */
export const home = process.env.SOTTO_RUNTIMES ?? fileURLToPath(new URL('../../runtimes', import.meta.url))

const source = fileURLToPath(new URL('../../runtimes', import.meta.url))

/** True where npm has installed what the lockfile names; what is optional may be for another system. */
export function installed(folder) {
  const lock = (file) => existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
  const have = lock(join(home, folder, 'node_modules/.package-lock.json'))
  return Object.entries(lock(join(source, folder, 'package-lock.json')))
    .every(([path, { version, optional }]) => path === '' || optional || have[path]?.version === version)
}

const FOLDERS = { runtimes: ['.', 'arm64'], bundlers: ['bundlers'] }

/**
 * Installs what is missing.
 *
 * @param {'runtimes' | 'bundlers'} what
 * @returns {string | undefined} why it could not, in a line
 */
export function install(what) {
  if (what === 'runtimes' && (process.platform !== 'linux' || process.arch !== 'x64')) {
    return `the packages are for Linux on x86-64, this is ${process.platform} on ${process.arch}`
  }
  for (const folder of FOLDERS[what]) {
    if (installed(folder)) continue
    const target = join(home, folder)
    if (home !== source) {
      spawnSync('mkdir', ['-p', target])
      for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(source, folder, file), join(target, file))
    }
    // not `npm ci`: it refuses a lockfile without the binaries of other systems, which not every registry has; --force: npm
    // would refuse packages for another processor
    const verb = folder === 'bundlers' ? ['install', '--no-save'] : ['ci']
    const run = spawnSync('npm', [...verb, '--ignore-scripts', '--no-audit', '--no-fund', ...folder === 'arm64' ? ['--force'] : []],
      { cwd: target, encoding: 'utf8', timeout: 300_000 })
    if (run.status !== 0) {
      return `npm ${verb[0]} in ${target} ended with ${run.status ?? run.signal}: ${(run.stderr ?? '').trim().split('\n').filter(line => / error /.test(line)).slice(0, 3).join('; ')}`
    }
  }
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2)
  if (words.some((word) => !(word in FOLDERS))) {
    console.error(`install: expected ${Object.keys(FOLDERS).join(' or ')}, or nothing for both, got ${words.join(' ')}`)
    process.exitCode = 2
  } else {
    for (const what of words.length > 0 ? words : Object.keys(FOLDERS)) {
      const why = install(what)
      if (why !== undefined) {
        console.error(`install: ${what}: ${why}`)
        process.exitCode = 1
      } else console.log(`the ${what} are in ${home}`)
    }
  }
}
