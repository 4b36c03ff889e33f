// Runs the edge worker in workerd on this machine: `await startEdge(folder)`, or
//   node examples/edge/serve.mjs
// which trains the filter on the mails of the examples, one slice a request, and prints what each took.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runtime } from '../../scripts/runtimes/index.mjs'
import { start, within } from '../../scripts/runtimes/process.mjs'
import { listening } from '../../scripts/runtimes/workerd.mjs'
import { build } from 'esbuild'
import { buildEdge } from './build.mjs'

/** Starts workerd on a laid out folder, on a port of its own. */
export async function startEdge(folder) {
  const { path, missing } = runtime('workerd').find()
  if (missing) throw new Error(`workerd expected to be installed: ${missing}`)
  const program = start([path, 'serve', 'config.capnp', '--control-fd=3', '--socket-addr=http=127.0.0.1:0'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  const died = program.ended.then((how) => { throw new Error(`workerd expected to serve, but it ${how}\n${program.output()}`) })
  died.catch(() => {})
  const port = await within(120, 'workerd', Promise.race([listening(program.child.stdio[3]), died]))
  const { pid } = program.child
  return {
    pid, end: () => program.end(),
    /** Milliseconds of CPU that the process has used, in all of its threads. */
    cpu: () => readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6, 0),
    /** Megabytes of memory that the process holds, and the most that it has held. */
    memory() {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8'), of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024
      return { now: of('VmRSS'), peak: of('VmHWM') }
    },
    async ask(target, body) {
      const response = await within(300, 'workerd', Promise.race([fetch(`http://127.0.0.1:${port}${target}`, body === undefined ? {} : { method: 'POST', body }), died]))
      return { status: response.status, ...await response.json() }
    },
  }
}

/** The mails of the examples. */
export async function exampleMails() {
  const { outputFiles: [{ text }] } = await build({ entryPoints: [fileURLToPath(new URL('../filter/mails.ts', import.meta.url))], format: 'esm', write: false })
  return (await import(`data:text/javascript,${encodeURIComponent(text)}`)).ownMails
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const edge = await startEdge(await buildEdge())
  try {
    const idle = edge.memory().now, mails = await exampleMails()
    let before = edge.cpu()
    console.log('cold start: model loaded, first answer')
    const asked = encodeURIComponent(mails[5].text)
    const first = await edge.ask(`/classify?text=${asked}`)
    console.log(`  CPU ${(edge.cpu() - before).toFixed(0)} ms, chance of spam of a mail ${first.chances[0].toFixed(2)}`)
    for (let answer, body = JSON.stringify({ mails }); !answer?.finished; body = '') {
      before = edge.cpu()
      answer = await edge.ask('/train', body)
      console.log(`  slice: ${answer.steps} steps, ${answer.tokens} tokens, CPU ${(edge.cpu() - before).toFixed(0)} ms; ${answer.done} of ${answer.of}, loss ${answer.loss.toFixed(3)}`)
      if (answer.finished) console.log(`adapter: SHA-256 ${answer.adapter}\ncontribution: ${answer.integers} integers, SHA-256 ${answer.contribution}\nthe module's memory: ${(answer.memory / 1e6).toFixed(1)} MB`)
    }
    console.log(`chance of spam of the same mail: ${(await edge.ask(`/classify?text=${asked}`)).chances[0].toFixed(2)}`)
    console.log(`process: ${idle.toFixed(0)} MB idle, ${edge.memory().peak.toFixed(0)} MB at most`)
  } finally {
    await edge.end()
  }
}
