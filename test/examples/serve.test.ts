/** The server of the page: what it is asked never ends it. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { script, temporary } from './support.ts'

const { serve } = await script<typeof import('../../examples/browser/serve.mjs')>('examples/browser/serve.mjs')

test('what is no address, or lies outside, is refused, and the server lives on', async () => {
  const folder = temporary('site')
  writeFileSync(join(folder, 'index.html'), 'page')
  const { origin, close } = await serve(folder)
  // as it stands: fetch would make an address of it
  const status = (path: string) => new Promise<number | undefined>((resolve, reject) => {
    get({ host: '127.0.0.1', port: new URL(origin).port, path }, response => resolve(response.resume().statusCode)).on('error', reject)
  })
  try {
    const answers: (number | undefined)[] = []
    for (const path of ['/%', '//', '/%E0%A4%A', '/%00', '/%2e%2e%2fpackage.json', '/nothing', '/']) answers.push(await status(path))
    assert.equal(answers, [400, 400, 400, 404, 404, 404, 200])
  } finally {
    await close()
  }
})

for (const port of [['ten'], ['65536'], ['-1'], []]) {
  test(`--port ${port.join('') || 'without a number'}: exit code 2 and one line`, async () => {
    const [code, said] = await new Promise<[unknown, string]>(resolve => {
      execFile(process.execPath, ['examples/browser/serve.mjs', '--port', ...port], (error, _, err) => resolve([error?.code, err]))
    })
    assert.is(code, 2)
    assert.match(said, /^"--port" expected an integer from 0 to 65535, got .*; 0 takes any that is free\n$/)
  })
}

test.run()
