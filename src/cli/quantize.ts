/**
 * `sotto quantize MODEL_FOLDER --out FOLDER`: the model in fewer bits, in a folder that loads like the one it came from.
 * @module
 */
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { show } from '../assert.ts'
import type { FileSource } from '../checkpoint/source.ts'
import { quantizeModel } from '../model/quantize.ts'
import type { QuantizeOptions, Quantized } from '../model/quantize.ts'
import { bytesText as size } from '../report/format.ts'
import { node } from '../runtime/node.ts'
import { createEngine } from '../wasm/engine.ts'
import { InputError, INTERRUPTED } from './failure.ts'
import { watchInterrupt } from './interrupt.ts'
import { checkOutFolder, removeDraft } from './out-folder.ts'
import { openProgress } from './progress.ts'
import { silent } from './simulate.ts'

interface QuantizeFlags extends QuantizeOptions {
  readonly out: string
  readonly json?: boolean
  readonly quiet?: boolean
}

/** Files beside the weights, copied where they are there: tokenizers and the pooling of sentence encoders. */
const COMPANIONS = [
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt',
  'sentencepiece.bpe.model', 'modules.json', '1_Pooling/config.json', 'config_sentence_transformers.json', 'sentence_bert_config.json',
]

const MORE = `
Example:
  sotto quantize models/all-MiniLM-L6-v2 --out models/all-MiniLM-L6-v2-int8
The result loads without the original, with the same bits as loadModel(host, folder, { format: 'int8' }) gives on it.
docs/data-and-models.md describes the file. What quantising costs in quality: docs/quality.md.`

/** The command. */
export function quantizeCommand(): Command {
  return new Command('quantize')
    .description('write a model folder whose linear weights and tables are int8 or f16')
    .argument('<model>', 'a model folder')
    .requiredOption('--out <folder>', 'a new folder for the result')
    .addOption(new Option('--format <format>', 'of linear weights').choices(['int8', 'f16']).default('int8'))
    .addOption(new Option('--embeddings <format>', 'of the tables of words, positions and types (default: as --format)').choices(['int8', 'f16', 'f32']))
    .option('--keep <names...>', 'linear layers, by the end of their names, that are kept in f16')
    .option('--json', 'print what was written as JSON')
    .option('--quiet', 'no progress')
    .addHelpText('after', MORE)
    .action(quantizeAction)
}

async function quantizeAction(model: string, { out, json, quiet, ...options }: QuantizeFlags): Promise<void> {
  const folder = await newFolder(out), draft = `${folder}.writing-${process.pid}`
  if (!await stat(model).then(entry => entry.isDirectory(), () => false)) {
    throw new InputError(`model expected a folder, got ${show(model)}; check the path`)
  }
  const host = node(), source = host.folder(resolve(model))
  const progress = quiet ? openProgress(1, silent()) : openProgress(1)
  const interrupt = watchInterrupt(() => {}, () => removeDraft(folder))
  try {
    const made = await writeDraft(source, draft, await createEngine(host), options, (name, done, of) => {
      if (interrupt.asked()) throw new Stopped()
      progress.now(`${done + 1}/${of}  ${name}`)
    })
    if (await stat(folder).then(() => true, () => false)) await rmdir(folder)
    await rename(draft, folder)
    progress.end()
    const place = relative('', folder) || '.', { bytes, before, types, left } = made
    process.stdout.write(json ? `${JSON.stringify({ out: folder, bytes, before, types, left }, null, 2)}\n` : summary(made, place))
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (!(error instanceof Stopped)) throw error
    progress.say('stopped; nothing was written')
    process.exitCode = INTERRUPTED
  } finally {
    progress.end()
    interrupt.release()
  }
}

/** Thrown between two tensors after Ctrl-C. */
class Stopped extends Error {}

/** A folder that is new or empty. */
async function newFolder(path: string): Promise<string> {
  const entries = await readdir(resolve(path)).catch(() => [])
  if (entries.length > 0) throw new InputError(`"--out" expected a new folder, got ${show(path)} with files in it; choose another place`)
  return checkOutFolder(path)
}

async function writeDraft(
  source: FileSource, draft: string, engine: Parameters<typeof quantizeModel>[0], options: QuantizeOptions,
  progress: (name: string, done: number, of: number) => void,
): Promise<Quantized> {
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  const file = await open(join(draft, 'model.safetensors'), 'w')
  let made: Quantized
  try {
    made = await quantizeModel(engine, source, options, async (data, position) => {
      for (let done = 0; done < data.length;) done += (await file.write(data, done, data.length - done, position + done)).bytesWritten
    }, progress)
    await file.sync()
  } finally {
    await file.close()
  }
  await writeFile(join(draft, 'config.json'), made.config)
  for (const name of COMPANIONS) {
    if (!await source.has(name)) continue
    await mkdir(dirname(join(draft, name)), { recursive: true })
    await writeFile(join(draft, name), await source.read(name))
  }
  return made
}

function summary({ bytes, before, types, left }: Quantized, place: string): string {
  const kinds = Object.entries(types).sort().map(([type, count]) => `${count} ${type}`).join(', ')
  return `${join(place, 'model.safetensors')}: ${size(bytes)} of ${size(before)} (${(100 * bytes / before).toFixed(0)} %); tensors: ${kinds}${left.length > 0 ? `; left out, since the encoder does not read them: ${left.length}` : ''}\n`
}
