/**
 * Ctrl-C: the first asks a command to end cleanly, the second ends the process at once.
 * @module
 */
import { INTERRUPTED } from './failure.ts'

/** Signals watched until `release`. */
export interface Interrupt {
  readonly asked: () => boolean
  release(): void
}

/**
 * Watches for SIGINT and SIGTERM.
 *
 * @param onFirst - called at the first
 * @param onSecond - called before the process ends at the second
 */
export function watchInterrupt(onFirst: () => void, onSecond: () => void): Interrupt {
  let asked = false
  const onSignal = () => {
    if (asked) {
      onSecond()
      process.exit(INTERRUPTED)
    }
    asked = true
    onFirst()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    asked: () => asked,
    release() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
