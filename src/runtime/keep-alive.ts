/**
 * A thread that nobody waits for must not keep the process alive; one that owes an answer must.
 * @module
 */

/** A thread's handle; browsers have neither method. */
interface Handle {
  ref?(): void
  unref?(): void
}

/** Counts the answers that are due: each message asks for one. */
export function keepAliveWhileDue(handle: Handle): { asked(): void, answered(): void } {
  let due = 0
  handle.unref?.()
  return {
    asked() { if (due++ === 0) handle.ref?.() },
    answered() { if (due > 0 && --due === 0) handle.unref?.() },
  }
}
