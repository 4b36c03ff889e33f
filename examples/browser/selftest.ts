/**
 * What a visitor would do, done by the page itself where its address ends with `?selftest`: the tests open it so in real
 * browsers and read what it posts to /result. It goes through the page's own buttons, and reloads it in between.
 */
import { byId } from './words.ts'

/** What was seen on the way, kept over the reload. */
interface Seen {
  stage: 'first visit' | 'second visit'
  problems: string[]
  /** Of each training that ran to its end. */
  mainThread: MainThread[]
  [fact: string]: unknown
}

const KEY = 'selftest'

/** The tests' drivers want a program with this name. */
export async function main(): Promise<unknown> { return undefined }

export async function run(): Promise<void> {
  const seen: Seen = JSON.parse(sessionStorage.getItem(KEY) ?? '{"stage":"first visit","problems":[],"mainThread":[]}')
  const problem = (text: string) => { seen.problems.push(`${seen.stage}: ${text}`) }
  document.addEventListener('securitypolicyviolation', event => problem(`the content policy ${event.violatedDirective} refused ${event.blockedURI}`))
  addEventListener('error', event => problem(event.message))
  addEventListener('unhandledrejection', event => problem(String(event.reason)))
  try {
    if (seen.stage === 'first visit') await firstVisit(seen)
    else await secondVisit(seen)
  } catch (error) {
    await post({ error: `${seen.stage}: ${(error as Error).message}; the page says: ${document.body.innerText.slice(0, 1500)}; ${seen.problems.join('; ')}` })
  }
}

async function firstVisit(seen: Seen): Promise<void> {
  await ready()
  Object.assign(seen, { isolated: crossOriginIsolated, firstFacts: byId('status-facts').textContent, emptyError: emptyForm() })
  press('fill')
  await until('verdicts of eight mails', () => verdicts().length === 8)
  seen['before'] = verdicts()
  const probe = await pausedAt(3, mainThreadProbe)
  const at = stepsDone()
  await wait(400)
  seen['movedWhilePaused'] = stepsDone() - at
  press('pause')
  await trained()
  await until('new verdicts', () => document.querySelectorAll('.verdict.past:not([hidden])').length === 8)
  seen.mainThread.push(probe.stop())
  Object.assign(seen, { after: verdicts(), focusAfter: document.activeElement?.id, ...outcome() })
  // interrupted in the middle, as by a page that is closed
  await pausedAt(5, () => {})
  await until('that the paused training is kept', () => /kept/.test(byId('progress-text').textContent ?? ''))
  seen['interruptedAt'] = stepsDone()
  seen.stage = 'second visit'
  sessionStorage.setItem(KEY, JSON.stringify(seen))
  location.reload()
}

async function secondVisit(seen: Seen): Promise<void> {
  await ready()
  Object.assign(seen, { secondFacts: byId('status-facts').textContent, continues: byId('train').textContent })
  await until('verdicts of the mails that were kept', () => verdicts().length === 8)
  press('train')
  await until('a step', () => stepsDone() > 0)
  seen['wentOnAt'] = stepsDone()
  await trained()
  seen['again'] = outcome()
  for (let i = 0; i < 2; i++) {
    const probe = mainThreadProbe()
    press('train')
    await trained()
    seen.mainThread.push(probe.stop())
  }
  press('undo')
  await until('the published filter', () => isHidden('result'))
  seen['undone'] = verdicts()
  press('train')
  await until('a step', () => stepsDone() >= 1 && !isHidden('cancel'))
  press('cancel')
  await until('the end of the training', () => isHidden('cancel'))
  seen['resultAfterCancel'] = !isHidden('result')
  press('forget')
  await until('an empty list', () => document.querySelectorAll('#list > li').length === 0)
  seen['databases'] = (await indexedDB.databases?.() ?? []).length
  seen['labels'] = unlabelled()
  sessionStorage.removeItem(KEY)
  await post({ result: seen })
}

/**
 * Trains and pauses at a step. A training that was over before this thread came to press is begun again, the third time at
 * the latest in vain: a training has many more steps, and gives the same however often it is begun.
 */
async function pausedAt<T>(step: number, begin: () => T): Promise<T> {
  const over = () => isHidden('pause'), at = () => byId<HTMLProgressElement>('progress'), begun = begin()
  for (let attempt = 1; ; attempt++) {
    press('train')
    await until(`step ${step}`, () => over() || (stepsDone() >= step && at().value < at().max))
    if (!over()) byId('pause').click()
    await until('a pause', () => over() || byId('pause').textContent === 'Resume')
    if (!over()) return begun
    if (attempt === 3) throw new Error(`expected a pause after step ${step}, got the end of the training`)
  }
}

/** Until the training that was begun is over: it is under way from the press on. */
async function trained(): Promise<void> {
  await until('a result', () => !isHidden('result') && !isHidden('train') && byId('adapter-hash').textContent !== '', 240)
}

/** Submitting nothing must say why. */
function emptyForm(): string {
  document.querySelector<HTMLButtonElement>('button[value=spam]')!.click()
  return isHidden('text-error') ? '' : byId('text-error').textContent!
}

const outcome = () => ({
  adapter: byId('adapter-hash').textContent, contribution: byId('vector-hash').textContent, own: byId('own-score').textContent,
  samples: byId('sample-score').textContent, vector: byId('vector-size').textContent,
})
const verdicts = () => [...document.querySelectorAll('#list > li')].flatMap(item => [...item.querySelectorAll<HTMLElement>('.verdict:not(.past):not([hidden]) .word')].map(word => word.textContent!))
const stepsDone = () => Number(/Step (\d+)/.exec(byId('progress-text').textContent ?? '')?.[1] ?? 0)
/** `hidden` may also be a word. */
const isHidden = (id: string) => byId(id).hidden !== false
const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

function press(id: string): void {
  const button = byId<HTMLButtonElement>(id)
  if (button.hidden || button.disabled) throw new Error(`${id} expected a button that can be pressed`)
  button.focus()
  button.click()
}

async function ready(): Promise<void> {
  await until('the filter', () => /ready|go on/.test(byId('status-text').textContent ?? ''), 240)
}

async function until(what: string, holds: () => boolean, seconds = 120): Promise<void> {
  for (const end = performance.now() + 1000 * seconds; !holds(); await wait(20)) {
    if (!isHidden('trouble')) throw new Error(byId('trouble').textContent!)
    if (performance.now() > end) throw new Error(`expected ${what} within ${seconds} s`)
  }
}

/** What held the main thread, in milliseconds. */
interface MainThread {
  /** Tasks above 50 ms, where the browser tells; else undefined. */
  readonly longTasks: readonly number[] | undefined
  /** The time between two turns of a timer of 4 ms: of twenty, nineteen were below; and the longest. */
  readonly gap: number
  readonly longestGap: number
  /** Share of the time that passed in gaps above 50 ms: near 1 where steps run on this thread. */
  readonly held: number
}

function mainThreadProbe(): { stop(): MainThread } {
  const tasks: number[] = [], gaps: number[] = []
  const observed = PerformanceObserver.supportedEntryTypes.includes('longtask')
  const observer = new PerformanceObserver(entries => { tasks.push(...entries.getEntries().map(entry => entry.duration)) })
  if (observed) observer.observe({ entryTypes: ['longtask'] })
  let last = performance.now(), stopped = false
  const look = () => {
    const now = performance.now()
    gaps.push(now - last)
    last = now
    if (!stopped) setTimeout(look, 4)
  }
  setTimeout(look, 4)
  return {
    stop() {
      stopped = true
      tasks.push(...observer.takeRecords().map(entry => entry.duration))
      observer.disconnect()
      gaps.sort((a, b) => a - b)
      const sum = (of: readonly number[]) => of.reduce((a, b) => a + b, 0), held = sum(gaps.filter(gap => gap > 50)) / sum(gaps)
      return { longTasks: observed ? tasks : undefined, gap: gaps[Math.floor(0.95 * gaps.length)], longestGap: gaps[gaps.length - 1], held }
    },
  }
}

/** Controls that a screen reader could not name. */
function unlabelled(): string[] {
  return [...document.querySelectorAll<HTMLElement>('button, input, textarea, progress')].filter(element =>
    !element.textContent?.trim() && !element.getAttribute('aria-label') && !element.getAttribute('aria-labelledby') && !(element as HTMLInputElement).labels?.length)
    .map(element => element.outerHTML)
}

async function post(answer: unknown): Promise<void> {
  await fetch('/result', { method: 'POST', body: JSON.stringify(answer) })
}
