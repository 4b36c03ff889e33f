/** `node examples/run.mjs node [MAILS.json]`: see examples/README.md. */
import { node } from 'sotto/node'
import { trainExample } from '../filter/train.ts'

const [files, out, mails] = process.argv.slice(2)
const report = await trainExample(node(), { files, out, mails }, line => console.log(line))
console.log(JSON.stringify(report))
