// Installs the runtimes that come as npm packages into runtimes/node_modules and runtimes/arm64/node_modules (1.4 GB,
// about half a minute); what is there already stays. Browsers and qemu come from the system's package manager.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the runtimes' own package; SOTTO_RUNTIMES names another, e.g. one that is kept between runs of CI. */
export const home = process.env.SOTTO_RUNTIMES ?? fileURLToPath(new URL('../../runtimes', import.meta.url))

const source = fileURLToPath(new URL('../../runtimes', import.meta.url))

/** True where npm has installed what the lockfile names. */
export function installed(folder) {
  const lock = (file) => existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
  const have = lock(join(home, folder, 'node_modules/.package-lock.json'))
  return Object.entries(lock(join(source, folder, 'package-lock.json')))
    .every(([path, { version }]) => path === '' || have[path]?.version === version)
}

/**
 * Installs what is missing.
 *
 * @returns {string | undefined} why it could not, in a line
 */
export function install() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return `the packages are for Linux on x86-64, this is ${process.platform} on ${process.arch}`
  for (const folder of ['.', 'arm64']) {
    if (installed(folder)) continue
    const target = join(home, folder)
    if (home !== source) {
      spawnSync('mkdir', ['-p', target])
      for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(source, folder, file), join(target, file))
    }
    // --force: npm would refuse packages for another processor
    const run = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', ...folder === '.' ? [] : ['--force']],
      { cwd: target, encoding: 'utf8', timeout: 300_000 })
    if (run.status !== 0) {
      return `npm ci in ${target} ended with ${run.status ?? run.signal}: ${(run.stderr ?? '').trim().split('\n').filter(line => / error /.test(line)).slice(0, 3).join('; ')}`
    }
  }
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const why = install()
  if (why !== undefined) {
    console.error(`install: ${why}`)
    process.exitCode = 1
  } else console.log(`the runtimes are in ${home}`)
}
