/** `bun run examples/bun/train.ts [MAILS.json]`: see examples/README.md. */
import { bun } from 'sotto/bun'
import { trainExample } from '../filter/train.ts'

const at = (path: string) => decodeURIComponent(new URL(path, import.meta.url).pathname)
const report = await trainExample(bun(), { files: at('../../build/examples/files'), out: at('../../build/examples/adapter-bun'), mails: process.argv[2] }, line => console.log(line))
console.log(JSON.stringify(report))
