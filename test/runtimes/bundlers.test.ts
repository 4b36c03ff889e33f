// slow: packs the package, installs it, runs bundlers and starts browsers
/**
 * The browser client through bundlers, as a user builds it: the packed package in an empty project, with the files, settings
 * and commands of docs/runtimes.md and nothing else. What comes out is served under a strict content policy and opened; the
 * adapter that it trains, on one thread and on two, has the bits of Node's.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { commandsOf, fencesOf } from '../../scripts/check/fences.mjs'
import { script } from '../examples/support.ts'
import { installed as tried } from '../support/npm-install.ts'
import { present } from './support.ts'

const { home, installed } = await script<typeof import('../../scripts/runtimes/install.mjs')>('scripts/runtimes/install.mjs')
const { serve, site } = await script<typeof import('../../examples/browser/serve.mjs')>('examples/browser/serve.mjs')
const { until, withPage } = await script<typeof import('../../scripts/runtimes/devtools.mjs')>('scripts/runtimes/devtools.mjs')

const { pause, start, within } = await script<typeof import('../../scripts/runtimes/process.mjs')>('scripts/runtimes/process.mjs')

const fences = fencesOf('docs/runtimes.md', readFileSync('docs/runtimes.md', 'utf8'))
const fileOf = (name: string) => fences.find(({ file }) => file === name)!.code
const commands = (bundler: string) => commandsOf(fences.find(({ noRun }) => noRun?.endsWith(`bundlers.test.ts: ${bundler}`))!.code)

/** What a user installs beside the package; and the script that a page of one's own loads, where the bundler makes no page. */
const bundlers: Record<string, { readonly packages: readonly string[], readonly page?: string, readonly manifest?: object }> = {
  vite: { packages: ['vite'] },
  webpack: { packages: ['webpack', 'webpack-cli'], page: 'main.js' },
  rollup: { packages: ['rollup', '@rollup/plugin-node-resolve'], page: 'app/page.js' },
  esbuild: { packages: ['esbuild'], page: 'app/page.js' },
  parcel: { packages: ['parcel'], manifest: JSON.parse(fileOf('parcel/package.json')) as object },
}
/** Where its packages are, as far as all of them are; esbuild builds the tests themselves. */
const folderOf = (name: string) => name === 'esbuild' ? resolve('node_modules') : installed('bundlers') ? join(home, 'bundlers/node_modules') : undefined

const temporary = mkdtempSync(join(tmpdir(), 'sotto-bundlers-')), project = join(temporary, 'project'), dist = join(project, 'dist')
const bin = join(project, 'node_modules/.bin'), model = 'models/all-MiniLM-L6-v2'

/** Trains on one thread and, where there are more, on two: the hashes of what was trained. In the place of the quick start's own. */
const train = `
import { attachLora, createEngine, loadModel, sgd, sliceOf, textClassifier, trainStep } from 'sotto'
import { hashArray, readSlice } from 'sotto/federated'

export async function train(host, folder) {
  const found = {}
  for (const threads of host.threads ? [1, 2] : [1]) {
    const engine = await createEngine(host, { threads })
    const { encoder, tokenizer } = await loadModel(host, folder, { engine })
    const adapter = attachLora(encoder, { rank: 4, alpha: 8, sites: ['query', 'value'] })
    const task = textClassifier({ encoder, adapter, labels: ['ham', 'spam'] }), slice = sliceOf(task), optimizer = sgd({ learningRate: 0.1 })
    const batch = task.pack(['win free money now', 'meeting tomorrow'].map(text => tokenizer.encode(text, 16)))
    for (let step = 0; step < 10; step++) trainStep(task, batch, Int32Array.of(1, 0), slice, optimizer)
    found[\`\${engine.team?.threads ?? 1} of \${threads}\`] = hashArray(readSlice(task.parameters, slice))
    engine.close?.()
  }
  return found
}
`
const html = (page: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page that trains</title>
<script type="module" src="${page}"></script>
<body><output></output></body>
</html>
`
/** The last thing that the page shows: before it, files on their way. */
const done = /losses|error|worker:/
/** Tells the driver of a browser what the page shows in the end. */
const reporter = `
const found = () => document.querySelector('output').textContent
const looking = setInterval(() => {
  if (!${done}.test(found())) return
  clearInterval(looking)
  fetch('/result', { method: 'POST', body: JSON.stringify({ result: found() }) })
}, 50)
`

const environment = { ...process.env, npm_config_ignore_scripts: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' }

/** Runs a command; what it printed is told where it fails. */
function run(folder: string, file: string, ...args: string[]): string {
  try {
    return execFileSync(file, args, {
      cwd: folder, encoding: 'utf8', timeout: 400_000, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...environment, CI: 'true', PATH: `${bin}${delimiter}${process.env.PATH}`, npm_config_offline: String(file === 'sh') },
    })
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string, stdout?: string, stderr?: string }
    throw new Error(`${message}\n${stdout ?? ''}${stderr ?? ''}`)
  }
}

/** Packages, and the command of the first, beside those that are in the project. */
function link(from: string, packages: readonly string[]): void {
  for (const each of [...packages, `.bin/${packages[0]}`]) {
    mkdirSync(join(project, 'node_modules', each, '..'), { recursive: true })
    symlinkSync(join(from, each), join(project, 'node_modules', each))
  }
}

let expected = ''
const test = suite('bundlers')

test.before(async () => {
  mkdirSync(join(project, 'public/models'), { recursive: true })
  const [{ filename }] = JSON.parse(run(process.cwd(), 'npm', 'pack', '--json', '--pack-destination', temporary)) as { filename: string }[]
  writeFileSync(join(project, 'package.json'), '{ "name": "site", "private": true, "type": "module" }\n')
  await tried(project, () => { run(project, 'npm', 'install', '--no-save', '--prefer-offline', join(temporary, filename)) })
  cpSync('test/fixtures/tiny-bert', join(project, 'public', model), { recursive: true })
  const hash = createHash('sha256').update(readFileSync('test/fixtures/tiny-bert/model.safetensors')).digest('hex')
  for (const name of ['page.js', 'browser-thread.js', 'vite.config.js', 'webpack.config.js', 'rollup.config.js']) writeFileSync(join(project, name), fileOf(name))
  const worker = fileOf('worker.js').replace(/'[0-9a-f]{64}'/, `'${hash}'`)
  assert.is(worker.includes(hash), true, 'the quick start names the hash of a model')
  writeFileSync(join(project, 'worker.js'), worker)
  writeFileSync(join(project, 'train.mjs'), train)
  writeFileSync(join(project, 'index.html'), html('./page.js'))
  writeFileSync(join(project, 'node.mjs'), `import { node } from 'sotto/node'\nimport { train } from './train.mjs'\nconsole.log(JSON.stringify({ losses: await train(node(), 'public/${model}') }))\n`)
  expected = run(project, process.execPath, 'node.mjs').trim()
  assert.match(expected, /^\{"losses":\{"1 of 1":"([0-9a-f]{64})","2 of 2":"\1"\}\}$/)
})

test.after(() => rmSync(temporary, { recursive: true, force: true }))

/** What a page shows in the end, and what its policy refused. */
async function shown(url: string): Promise<{ output: string, refused: string[] }> {
  return withPage(url, async page => {
    // at once: a development server may load the page anew
    const found = await until(page, `${done}.test(document.querySelector('output')?.textContent) && JSON.stringify({ output: document.querySelector('output').textContent, refused })`)
    return JSON.parse(found) as { output: string, refused: string[] }
  }, { first: "globalThis.refused = []; document.addEventListener('securitypolicyviolation', event => refused.push(`${event.violatedDirective} ${event.blockedURI}`))" })
}

for (const [name, { packages, page, manifest }] of Object.entries(bundlers)) {
  const from = folderOf(name)
  if (from === undefined) {
    console.log(`\nSKIPPED: ${name}: run node scripts/runtimes/install.mjs bundlers`)
    // a file without a test would count as broken
    test(`${name} is not here, and says how to get it`, () => assert.match(readFileSync('scripts/runtimes/install.mjs', 'utf8'), /bundlers/))
    continue
  }
  const version = (JSON.parse(readFileSync(join(from, name, 'package.json'), 'utf8')) as { version: string }).version

  test(`${name} ${version}: builds with the documented lines; nothing of the module is inlined, and nothing evaluated`, () => {
    link(from, packages)
    rmSync(dist, { recursive: true, force: true })
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'site', private: true, type: 'module', ...manifest }))
    for (const command of commands(name)) run(project, 'sh', '-c', command)
    if (page !== undefined) writeFileSync(join(dist, 'index.html'), html(page))
    cpSync(join(project, 'public'), dist, { recursive: true })
    const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    assert.is(files.filter(file => file.endsWith('.wasm')).length, 3, files.join(' '))
    for (const file of files.filter(each => each.endsWith('.js'))) {
      const code = readFileSync(join(dist, file), 'utf8')
      // webpack looks for the global object so where there is no globalThis
      assert.not.match(code, /\beval\(|new Function\((?!"return this"\))|data:application\/wasm|AGFzbQ/, file)
    }
  })

  for (const {} of present('chromium')) {
    test(`${name} ${version}: the page trains under a strict content policy, on one thread and on two, to the bits of Node`, async () => {
      const { origin, close } = await serve(dist)
      try {
        assert.equal(await shown(`${origin}/`), { output: expected, refused: [] })
      } finally {
        await close()
      }
    })
  }

  for (const { name: browser, run: open } of name === 'vite' ? present('firefox') : []) {
    test(`${name} ${version}: in ${browser} too`, async () => {
      const index = readFileSync(join(dist, 'index.html'), 'utf8')
      writeFileSync(join(dist, 'index.html'), `${index}<script type="module" src="/report.js"></script>\n`)
      writeFileSync(join(dist, 'report.js'), reporter)
      const answer = site(dist)
      const handle: typeof answer extends (...given: infer G) => void ? (...given: G) => boolean : never = (request, response) => {
        if (request.url === '/result') return false
        answer(request, response)
        return true
      }
      assert.is(await open(undefined, { handle }), expected)
    })
  }

  for (const {} of name === 'vite' ? present('chromium') : []) {
    test(`${name} ${version}: the development server, which answers what is not there with its page and moves packages about`, async () => {
      const server = start([join(bin, 'vite'), '--port', '0'], { cwd: project, env: { ...environment, NO_COLOR: '1', FORCE_COLOR: '0' } })
      try {
        const url = await within(240, 'the development server', (async () => {
          for (;;) {
            const found = /Local:\s+(http:\S+)/.exec(server.output())?.[1]
            if (found !== undefined) return found
            await Promise.race([pause(100), server.ended.then(how => { throw new Error(`vite expected to serve, but it ${how}\n${server.output()}`) })])
          }
        })())
        assert.is((await shown(url)).output, expected)
      } finally {
        await server.end()
      }
    })
  }
}

test.run()
