/**
 * Progress of long work on standard error: one line that changes on a terminal, a line now and then elsewhere.
 * @module
 */
import { count, duration, epsilonText, percent } from '../report/format.ts'
import type { RoundReport } from '../simulation/simulate.ts'

/** Where progress is shown. */
export interface Progress {
  /** A line that stays. */
  say(text: string): void
  /** What goes on now; replaced by the next. */
  now(text: string): void
  begin(run: string, number: number): void
  round(report: RoundReport): void
  /** Leaves the terminal clean. */
  end(): void
}

/** @param runs - how many there will be */
export function openProgress(runs: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = stream.isTTY === true && process.env['TERM'] !== 'dumb'
  let title = '', shown = false, done = 0, clients = 0, last = 0, accuracy: number | undefined
  const clear = () => {
    if (shown) stream.write('\r\u001b[2K')
    shown = false
  }
  const say = (text: string) => {
    clear()
    stream.write(`${text}\n`)
  }
  const now = (text: string) => {
    if (!live) return
    clear()
    stream.write(fit(text, stream.columns ?? 80))
    shown = true
  }
  return {
    say, now,
    begin(run, number) {
      title = runs > 1 ? `[${number + 1}/${runs}] ${run}` : run
      done = clients = last = 0
      accuracy = undefined
      if (live) now(`${title}: loading`)
      else say(`${title}: begins`)
    },
    round(report) {
      done = report.round
      clients += report.clients
      accuracy = report.accuracy ?? accuracy
      const line = roundLine(title, report, clients, accuracy)
      const step = Math.max(1, Math.ceil(report.rounds / 10))
      if (live) now(line)
      else if (report.round === report.rounds || done - last >= step) {
        last = done
        say(line)
      }
    },
    end: clear,
  }
}

/** Everything about a run so far, the most wanted first: a narrow terminal cuts the end. */
export function roundLine(title: string, report: RoundReport, clients: number, accuracy: number | undefined): string {
  const { round, rounds, rank, loss, epsilon, seconds } = report
  const left = seconds / round * (rounds - round)
  return [
    `${title}  round ${round}/${rounds}`,
    ...(accuracy === undefined ? [] : [`accuracy ${percent(accuracy)}`]),
    ...(epsilon === undefined ? [] : [`epsilon ${epsilonText(epsilon)}`]),
    round === rounds ? 'testing on the whole test set' : `${duration(left)} left`,
    `loss ${loss.toFixed(3)}`,
    ...(rank === undefined ? [] : [`rank ${rank}`]),
    `${count(clients / Math.max(1e-3, seconds))} clients/s`,
  ].join('  ')
}

function fit(text: string, columns: number): string {
  return text.length < columns ? text : `${text.slice(0, Math.max(1, columns - 2))}…`
}
