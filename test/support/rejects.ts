/** The asynchronous twin of uvu's `throws`. */
import * as assert from 'uvu/assert'

/** Fails unless the promise rejects with an error whose message matches. Returns the error. */
export async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<Error> {
  try {
    await promise
  } catch (error) {
    assert.instance(error, Error)
    assert.match((error as Error).message, pattern)
    return error as Error
  }
  return assert.unreachable(`expected an error that matches ${pattern}, got none`) as never
}
