/** A program that does what programs should not. */
import type { Ground } from '../../scripts/runtimes/stage.mjs'

export async function main({ input }: Ground): Promise<unknown> {
  if (input === 'throw') throw new RangeError('"x" expected 1, got 2')
  if (input === 'spin') for (;;);
  if (input === 'exit') {
    console.error('last words')
    process.exit(3)
  }
  return { input }
}
