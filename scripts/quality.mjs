// npm run quality: what narrow formats cost on the real models, into the tables of docs/quality.md. Ten to fifteen minutes on
// an idle core. Every result is kept in build/quality/results.json as it comes, and taken from there by the next run as long
// as the scripts and the bits that the package computes are the same; --fresh begins anew.
//   npm run quality -- [--fresh] [--only cosines|blocks|accuracy] [--seeds N] [--no-page]
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accuracyRows, trainOnce } from './quality/accuracy.mjs'
import { blocks } from './quality/blocks.mjs'
import { cosines, outcome, taskOf } from './quality/cosines.mjs'
import { formats, mails, realModels, tiny, trained } from './quality/models.mjs'
import { built } from './quality/sotto.mjs'
import { accuracyTable, blockTables, cosineTable, withTables } from './quality/tables.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Results by key, kept in a file. */
function kept(file, stamp, fresh) {
  const old = !fresh && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const all = old.stamp === stamp ? old.results : {}
  return {
    async get(key, make) {
      if (!(key in all)) {
        all[key] = await make()
        writeFileSync(`${file}.part`, JSON.stringify({ stamp, results: all }))
        renameSync(`${file}.part`, file)
      }
      return all[key]
    },
  }
}

/** What results depend on: the scripts that measure, and every bit of a small model's logits and gradients in each format. */
async function stampOf(sotto) {
  const hash = createHash('sha256')
  for (const part of ['accuracy', 'blocks', 'cosines', 'models']) hash.update(readFileSync(join(root, `scripts/quality/${part}.mjs`)))
  for (const format of ['f32', 'f16', 'int8']) {
    const { task } = await taskOf(sotto, tiny, { format })
    const { logits, gradients } = outcome(sotto, task, { sequences: [[2, 9, 14, 7, 3], [2, 21, 8, 8, 30, 11, 3]], targets: Int32Array.of(0, 1) })
    for (const values of [logits, ...gradients.values()]) hash.update(new Uint8Array(values.buffer))
  }
  return hash.digest('hex').slice(0, 16)
}

async function main(args) {
  const value = (name) => args.includes(name) ? args[args.indexOf(name) + 1] : undefined
  const only = value('--only'), seeds = Number(value('--seeds') ?? 5)
  if ((only !== undefined && !['cosines', 'blocks', 'accuracy'].includes(only)) || !(Number.isInteger(seeds) && seeds >= 2)) {
    console.error('quality: expected [--fresh] [--only cosines|blocks|accuracy] [--seeds N of at least 2] [--no-page]')
    process.exit(2)
  }
  mkdirSync(join(root, 'build/quality'), { recursive: true })
  const sotto = await built(), results = kept(join(root, 'build/quality/results.json'), await stampOf(sotto), args.includes('--fresh'))
  const data = await mails(), { models, missing } = realModels()
  for (const line of missing) console.log(`NOTE: left out: ${line}`)
  const does = (part) => only === undefined || only === part
  const tables = {}
  if (does('cosines')) {
    const rows = []
    for (const model of models) rows.push(...await results.get(`cosines ${model.name}`, () => cosines(sotto, model, formats, data)))
    tables.cosines = cosineTable(rows)
  }
  if (does('blocks')) {
    const found = []
    for (const model of models) found.push(await results.get(`blocks ${model.name}`, () => blocks(sotto, model, data)))
    tables.blocks = blockTables(found)
  }
  if (does('accuracy')) {
    const right = new Map(models.map((model) => [model.name, Object.fromEntries(trained.map((format) => [format, []]))]))
    for (let seed = 1; seed <= seeds; seed++) {
      for (const model of models) for (const format of trained) {
        const run = await results.get(`accuracy ${model.name}, ${format}, seed ${seed}`, () => trainOnce(sotto, model, formats[format] ?? { format: 'f32' }, seed, data))
        right.get(model.name)[format].push(run)
        console.log(`${model.name}, ${format}, seed ${seed}: ${(100 * run.reduce((a, b) => a + b, 0) / run.length).toFixed(2)} %`)
      }
    }
    tables.accuracy = accuracyTable(models.flatMap((model) => accuracyRows(model.name, right.get(model.name))))
  }
  for (const text of Object.values(tables)) console.log(`\n${text}`)
  if (!args.includes('--no-page')) {
    const page = join(root, 'docs/quality.md')
    writeFileSync(page, withTables(readFileSync(page, 'utf8'), tables))
    console.log(`\nWrote docs/quality.md`)
  }
}

await main(process.argv.slice(2))
