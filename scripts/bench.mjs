// `npm run bench [-- PART ...]`: measures Sotto against the machine's limits and against other frameworks.
//   --json FILE    writes everything that was measured
//   --write-docs   puts the results into docs/performance.md, bench/results.json and the plot of docs/images
//   --quick        tiny sizes: shows that the bench works, judges no goal
//   --no-build     takes dist as it is
//   --no-peers     as if no other framework were installed
//
// Each part is a file of bench/parts. Before a time counts, the result is checked; a wrong one makes the bench fail. A
// goal that is missed is shown, and does not.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildLimits } from '../bench/lib/limits.mjs'
import { machine, makeContext, root } from '../bench/lib/context.mjs'
import { asRow, textTable, verdict } from '../bench/lib/rows.mjs'
import { buildJs, buildWasm, fresh } from './build.mjs'

/** In the order in which they run. */
export const parts = ['limits', 'products', 'step', 'profile', 'threads', 'growth', 'simulation', 'logistic', 'runtimes', 'privacy']

const usage = (message) => {
  console.error(`bench: ${message}; usage: npm run bench -- [${parts.join('|')} ...] [--json FILE] [--write-docs] [--quick] [--no-build] [--no-peers]`)
  process.exit(2)
}

function options() {
  const flag = { type: 'boolean', default: false }
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'string' }, 'write-docs': flag, quick: flag, 'no-build': flag, 'no-peers': flag, spoil: flag },
    })
  } catch (error) {
    return usage(error.message)
  }
}

async function main() {
  const { values, positionals } = options()
  const unknown = positionals.filter((name) => !parts.includes(name))
  if (unknown.length > 0) usage(`expected parts among ${parts.join(', ')}, got ${unknown.join(', ')}`)
  if (values['write-docs'] && (values.quick || positionals.length > 0)) usage('--write-docs expected all parts at their full size')
  if (!values['no-build'] && !fresh()) {
    buildWasm()
    buildJs()
  }
  if (!existsSync(join(root, 'dist/wasm/sotto.simd.wasm'))) usage('expected a built package, got none; leave out --no-build')
  buildLimits(root)
  const context = makeContext({ quick: values.quick, peers: !values['no-peers'], log: (line) => console.error(`  ${line}`) })
  const started = performance.now(), before = machine()
  const { cpu, cores, flags, memory_gb, platform, load } = before
  const versions = {
    sotto: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    node: context.nodes.map(({ version }) => version), torch: context.pythons.map(({ torch }) => torch),
  }
  console.log(`${cpu}, ${cores} cores, ${memory_gb} GB, ${platform}${flags.length > 0 ? `, ${flags.join(' ')}` : ''}`)
  console.log(`Sotto ${versions.sotto}, ${context.nodes.map(({ name }) => name).join(', ')}${versions.torch.map((version) => `, PyTorch ${version}`).join('')}`)
  if (load > 0.5) console.log(`The machine is not quiet (load ${load.toFixed(1)}): times are too long, and ratios less certain.`)
  if (values.quick) console.log('Quick: the sizes are too small for the goals; none is judged.')
  console.log()

  const results = []
  for (const name of positionals.length > 0 ? parts.filter((part) => positionals.includes(part)) : parts) {
    const { title, rows } = await import(`../bench/parts/${name}.mjs`)
    const from = performance.now()
    let found
    try {
      found = (await rows(context, { spoil: values.spoil })).map(asRow)
    } catch (error) {
      found = [{ what: name, failed: `did not run: ${error.message.replaceAll(/\s*\n\s*/g, ' | ')}` }]
    }
    if (values.quick) for (const row of found) if (row.goal) row.goal.for = false
    results.push({ part: name, title, seconds: (performance.now() - from) / 1000, rows: found })
    console.log(textTable(title, found))
  }

  const all = results.flatMap(({ rows }) => rows)
  const count = (word) => all.filter((row) => verdict(row) === word).length
  const seconds = (performance.now() - started) / 1000
  const record = { machine: { ...before, load_after: loadavg()[0] }, versions, quick: values.quick, seconds, results }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(record, null, 1)}\n`)
  if (values['write-docs']) {
    const { writeDocs } = await import('../bench/lib/docs.mjs')
    try {
      writeDocs(record)
    } catch (error) {
      console.error(`bench: ${error.message}`)
    }
  }
  console.log(`goals: ${count('yes')} met, ${count('no')} missed; checks: ${count('WRONG')} failed; ${seconds.toFixed(0)} s`)
  process.exitCode = count('WRONG') > 0 ? 1 : 0
}

await main()
