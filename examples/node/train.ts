/** The example in Node: see examples/README.md. */
import { node } from 'sotto/node'
import { trainExample } from '../filter/train.ts'

const report = await trainExample(node(), { files: 'build/examples/files', out: 'build/examples/adapter-node', mails: process.argv[2] }, line => console.log(line))
console.log(JSON.stringify(report))
