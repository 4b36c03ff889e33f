// slow: packs the package and installs it, with its dependencies, into an empty project
/**
 * The package as its users get it: packed, installed in an empty folder without scripts, imported, type-checked, run.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { installed as tried } from '../support/npm-install.ts'

interface Manifest {
  name: string
  version: string
  bin?: Record<string, string>
  exports: Record<string, string | { types: string, default: string }>
  dependencies: Record<string, string>
  scripts?: Record<string, string>
}

const root = process.cwd()
const source: Manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const environment = { ...process.env, npm_config_ignore_scripts: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' }
const run = (folder: string, command: string, ...args: string[]): string =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', env: environment, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })

/** What execFileSync throws says only that it failed: this says what was printed. */
function told<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    const { message, stdout, stderr } = error as { message: string, stdout?: string, stderr?: string }
    throw new Error(`${message}\n${stdout ?? ''}${stderr ?? ''}`)
  }
}

const test = suite('package')
const temporary = mkdtempSync(join(tmpdir(), 'sotto-package-'))
const project = join(temporary, 'project')
const installed = join(project, 'node_modules/sotto')
const subpaths = Object.entries(source.exports)
const modules = subpaths.filter(([, target]) => typeof target === 'object').map(([subpath]) => source.name + subpath.slice(1))

/** All files below a folder, relative, with `/`. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
    .filter((name) => statSync(join(folder, name)).isFile()).sort()
}

test.before(async () => {
  mkdirSync(project)
  const [packed] = JSON.parse(told(() => run(root, 'npm', 'pack', '--json', '--pack-destination', temporary))) as { filename: string, size: number, unpackedSize: number }[]
  console.log(`\nNOTE: the package has ${(packed.size / 1000).toFixed(0)} kB packed, ${(packed.unpackedSize / 1000).toFixed(0)} kB unpacked`)
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n')
  await tried(project, () => {
    told(() => run(project, 'npm', 'install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', join(temporary, packed.filename)))
  })
})

test.after(() => rmSync(temporary, { recursive: true, force: true }))

test('holds the built code, its types and its sources, and nothing of tests, fixtures, tools or data', () => {
  const files = filesOf(installed)
  const stray = files.filter((file) => !/^(dist|src)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file))
  assert.equal(stray, [])
  assert.equal(files.filter((file) => /(?<!self-?)test|fixture|\.safetensors$|\.tsbuildinfo$/.test(posix.basename(file)) || /\/(test|fixtures)\//.test(file)), [])
  assert.ok(files.includes('LICENSE'))
  // src holds nothing that dist does not come from, and the other way round
  const built = files.filter((file) => file.endsWith('.js')).map((file) => file.replace(/^dist\/(.*)\.js$/, 'src/$1.ts'))
  assert.equal(files.filter((file) => file.startsWith('src/') && file.endsWith('.ts') && !file.endsWith('.d.ts')), built.sort())
})

test('depends on none of the data and models of the demonstration, and runs no script at installation', () => {
  const manifest: Manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.is(manifest.version, source.version)
  const names = readdirSync(join(project, 'node_modules'), { withFileTypes: true })
    .flatMap((entry) => entry.name.startsWith('@') ? readdirSync(join(project, 'node_modules', entry.name)).map((name) => `${entry.name}/${name}`) : [entry.name])
  assert.equal(names.filter((name) => /stdlib|energetic|assemblyscript$|esbuild|typescript|zx|uvu/.test(name)), [])
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) assert.is(manifest.scripts?.[script], undefined, script)
  assert.equal(Object.keys(manifest.dependencies).filter((name) => !existsSync(join(project, 'node_modules', name))), [])
})

test('every export of package.json leads to a file of the package', () => {
  for (const [subpath, target] of subpaths) {
    for (const file of typeof target === 'string' ? [target] : [target.types, target.default]) {
      assert.ok(existsSync(join(installed, file)), `${subpath}: ${file}`)
    }
  }
})

test('every subpath is imported by plain Node, and importing changes no global', () => {
  writeFileSync(join(project, 'import.mjs'), `
    const before = Object.getOwnPropertyNames(globalThis).sort().join()
    for (const name of ${JSON.stringify(modules)}) {
      const names = Object.keys(await import(name))
      if (names.length === 0) throw new Error(name + ' exports nothing')
      if (names.includes('default')) throw new Error(name + ' has a default export')
    }
    for (const name of ${JSON.stringify(subpaths.filter(([, target]) => typeof target === 'string').map(([subpath]) => source.name + subpath.slice(1)))}) import.meta.resolve(name)
    if (Object.getOwnPropertyNames(globalThis).sort().join() !== before) throw new Error('a global was added')
    console.log('imported')`)
  assert.match(told(() => run(project, process.execPath, 'import.mjs')), /^imported/)
})

test('the installed module computes: a simd build where the engine has it, and the scalar build', async () => {
  const runtime = join(installed, 'dist/runtime/node.js')
  const { node } = await import(pathToFileURL(runtime).href) as { node: () => { module(variant: string): Promise<WebAssembly.Module> } }
  for (const variant of ['simd', 'shared', 'scalar']) {
    const module = await node().module(variant)
    assert.equal(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }], variant)
  }
})

for (const [title, options] of [
  // a Node program with the types of Node (which lack WebAssembly: such programs skip the check of libraries), and a page
  ['nodenext', { module: 'NodeNext', moduleResolution: 'NodeNext', lib: ['ES2022'], types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: true }],
  ['bundler', { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2022', 'DOM'], types: [] }],
] as const) {
  test(`a consumer's TypeScript is checked against the shipped types, ${title} resolution`, () => {
    const lines = modules.map((name, i) => `import * as subpath${i} from '${name}'\nexport type Names${i} = keyof typeof subpath${i}`)
    writeFileSync(join(project, 'consumer.ts'), `${lines.join('\n')}
import { node } from 'sotto/node'
export const version: string = node().version
// @ts-expect-error the types are real ones, not any
export const wrong: symbol = node().version
`)
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({
      compilerOptions: { target: 'ES2022', strict: true, noEmit: true, ...options }, files: ['consumer.ts'],
    }))
    told(() => run(project, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false'))
  })
}

test('every script and type has a source map, and it leads to a source that the package ships', () => {
  const files = filesOf(installed).filter((file) => /\.(js|d\.ts)$/.test(file) && file.startsWith('dist/'))
  assert.ok(files.length > 100)
  for (const file of files) {
    const text = readFileSync(join(installed, file), 'utf8')
    const name = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1]
    assert.ok(name, `${file} names no map`)
    const map = JSON.parse(readFileSync(join(installed, posix.dirname(file), name), 'utf8')) as { sources: string[], sourceRoot?: string }
    for (const each of map.sources) {
      const target = posix.join(posix.dirname(file), map.sourceRoot ?? '', each)
      assert.ok(target.startsWith('src/') && existsSync(join(installed, target)), `${file}: ${target} is not shipped`)
    }
  }
})

test('the commands of package.json are files that run', () => {
  for (const [name, file] of Object.entries(source.bin ?? {})) {
    assert.ok(existsSync(join(installed, file)), `${name}: ${file} is not in the package`)
    assert.match(readFileSync(join(installed, file), 'utf8').split('\n')[0], /^#!\/usr\/bin\/env node$/, `${file} begins with #!/usr/bin/env node`)
    const help = told(() => run(project, 'npx', '--no-install', name, '--help'))
    assert.match(help, /usage/i)
  }
})

test.run()
