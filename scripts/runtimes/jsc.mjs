// The shell of JavaScriptCore, Safari's engine: the quickest way to ask it something, without a display.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debianVersion, once, program } from './find.mjs'
import { ended, restarting, start, within, withFolder } from './process.mjs'
import { resultOf, stage } from './stage.mjs'

const found = once(() => {
  const path = program(process.env.JSC) ?? program('jsc')
  if (path === undefined) return { missing: 'apt install libjavascriptcoregtk-4.0-bin, or set JSC to the path of a jsc shell' }
  return { path, version: debianVersion('libjavascriptcoregtk-4.0-bin') ?? 'of unknown version' }
})

/** @type {import('./index.mjs').Runtime} */
export const jsc = Object.freeze({
  name: 'jsc', find: found,
  run: (application, { timeout = 180, flags = [], env = {} } = {}) => restarting('jsc', () => withFolder(async (folder) => {
    const { path, missing } = found()
    if (missing) throw new Error(`jsc expected to be installed: ${missing}`)
    await stage(folder, application, { ground: 'jsc.mjs' })
    writeFileSync(join(folder, 'random.bin'), randomBytes(2 ** 20))
    const shell = start([path, ...flags, '-m', join(folder, 'run/main.js'), '--', folder], { cwd: folder, env: { ...process.env, HOME: folder, TMPDIR: folder, ...env } })
    // the answer may be long: all of stdout is kept here
    const chunks = []
    shell.child.stdout.on('data', (chunk) => chunks.push(chunk))
    try {
      const how = await within(timeout, 'jsc', shell.ended)
      const answer = Buffer.concat(chunks).toString('utf8').split('\n').find((line) => line.startsWith('ANSWER '))
      if (answer === undefined) throw ended('jsc', how)
      return resultOf('jsc', answer.slice(7))
    } catch (error) {
      if (shell.output() !== '') error.message += `\n${shell.output().slice(-4000)}`
      throw error
    } finally {
      await shell.end()
    }
  })),
})
