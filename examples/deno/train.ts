/** `deno run --allow-read --allow-write examples/deno/train.ts [MAILS.json]`: see examples/README.md. */
import { deno } from 'sotto/deno'
import { trainExample } from '../filter/train.ts'

/** What is used of Deno's own interface. */
declare const Deno: { readonly args: readonly string[] }

const at = (path: string) => decodeURIComponent(new URL(path, import.meta.url).pathname)
const report = await trainExample(deno(), { files: at('../../build/examples/files'), out: at('../../build/examples/adapter-deno'), mails: Deno.args[0] }, line => console.log(line))
console.log(JSON.stringify(report))
