// The example in Node, which runs no TypeScript before version 24: bundled, then run.
//   node examples/node/run.mjs [MAILS.json]
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { prepare } from '../prepare.mjs'

prepare()
const outfile = fileURLToPath(new URL('../../build/examples/node.mjs', import.meta.url))
await build({ entryPoints: [fileURLToPath(new URL('./train.ts', import.meta.url))], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external', logLevel: 'warning' })
await import(outfile)
