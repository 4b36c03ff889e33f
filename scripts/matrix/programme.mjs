// What each runtime of the matrix runs: the self-test, and its hashes as plain data.
import { selfTest } from '../../src/selftest/index.ts'

/**
 * @param {import('../runtimes/stage.mjs').Ground} ground - input: { level, variant?, threads? }
 * @param {import('../../src/host.ts').Host} host
 */
export async function programme(ground, host) {
  const { level, variant, threads = 1 } = ground.input
  const started = host.now()
  const result = await selfTest(host, { level, ...variant && { variant }, ...threads > 1 && { threads, folder: `${ground.root}/model` } })
  return { ...result, seconds: (host.now() - started) / 1000 }
}
