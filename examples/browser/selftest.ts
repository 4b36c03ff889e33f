/**
 * What a visitor would do, done by the page itself where its address ends with `?selftest`: the tests open it so in real
 * browsers and read what it posts to /result. It goes through the page's own buttons, and reloads it in between.
 */
import { byId } from './words.ts'

/** What was seen on the way, kept over the reload. */
interface Seen {
  stage: 'first visit' | 'second visit'
  problems: string[]
  [fact: string]: unknown
}

const KEY = 'selftest'

/** The tests' drivers want a program with this name. */
export async function main(): Promise<unknown> { return undefined }

export async function run(): Promise<void> {
  const seen: Seen = JSON.parse(sessionStorage.getItem(KEY) ?? '{"stage":"first visit","problems":[]}')
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
  const probe = mainThreadProbe()
  press('train')
  await until('three steps', () => stepsDone() >= 3)
  press('pause')
  await until('a pause', () => byId('pause').textContent === 'Resume')
  const at = stepsDone()
  await wait(400)
  seen['movedWhilePaused'] = stepsDone() - at
  press('pause')
  await until('a result', () => !byId('result').hidden && byId('own-score').textContent !== '' && !byId('train').hidden, 60)
  await until('new verdicts', () => document.querySelectorAll('.verdict.past:not([hidden])').length === 8)
  seen['mainThread'] = probe.stop()
  Object.assign(seen, { after: verdicts(), focusAfter: document.activeElement?.id, ...outcome() })
  // interrupted in the middle, as by a page that is closed
  press('train')
  await until('five steps', () => stepsDone() >= 5 && byId<HTMLProgressElement>('progress').value < byId<HTMLProgressElement>('progress').max)
  press('pause')
  await until('a pause', () => byId('pause').textContent === 'Resume')
  await wait(300)
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
  await until('a result', () => !byId('result').hidden && byId('adapter-hash').textContent !== '', 60)
  seen['again'] = outcome()
  await until('the button', () => !byId('train').hidden)
  press('undo')
  await until('the published filter', () => byId('result').hidden)
  seen['undone'] = verdicts()
  press('train')
  await until('a step', () => stepsDone() >= 1 && !byId('cancel').hidden)
  press('cancel')
  await until('the end of the training', () => byId('cancel').hidden)
  seen['resultAfterCancel'] = !byId('result').hidden
  press('forget')
  await until('an empty list', () => document.querySelectorAll('#list > li').length === 0)
  seen['databases'] = (await indexedDB.databases?.() ?? []).length
  seen['labels'] = unlabelled()
  sessionStorage.removeItem(KEY)
  await post({ result: seen })
}

/** Submitting nothing must say why. */
function emptyForm(): string {
  document.querySelector<HTMLButtonElement>('button[value=spam]')!.click()
  return byId('text-error').hidden ? '' : byId('text-error').textContent!
}

const outcome = () => ({
  adapter: byId('adapter-hash').textContent, contribution: byId('vector-hash').textContent, own: byId('own-score').textContent,
  samples: byId('sample-score').textContent, vector: byId('vector-size').textContent,
})
const verdicts = () => [...document.querySelectorAll('#list > li')].flatMap(item => [...item.querySelectorAll<HTMLElement>('.verdict:not(.past):not([hidden]) .word')].map(word => word.textContent!))
const stepsDone = () => Number(/Step (\d+)/.exec(byId('progress-text').textContent ?? '')?.[1] ?? 0)
const wait = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds))

function press(id: string): void {
  const button = byId<HTMLButtonElement>(id)
  if (button.hidden || button.disabled) throw new Error(`${id} expected a button that can be pressed`)
  button.focus()
  button.click()
}

async function ready(): Promise<void> {
  await until('the filter', () => /ready|go on/.test(byId('status-text').textContent ?? ''), 60)
}

async function until(what: string, holds: () => boolean, seconds = 30): Promise<void> {
  for (const end = performance.now() + 1000 * seconds; !holds(); await wait(20)) {
    if (!byId('trouble').hidden) throw new Error(byId('trouble').textContent!)
    if (performance.now() > end) throw new Error(`expected ${what} within ${seconds} s`)
  }
}

/** How long the main thread was held: by its own tasks where the browser tells, and by the gaps between turns. */
function mainThreadProbe(): { stop(): { longTasks: number[], longestGap: number, observed: boolean } } {
  const longTasks: number[] = []
  const observed = PerformanceObserver.supportedEntryTypes.includes('longtask')
  const observer = new PerformanceObserver(entries => longTasks.push(...entries.getEntries().map(entry => entry.duration)))
  if (observed) observer.observe({ entryTypes: ['longtask'] })
  let last = performance.now(), longestGap = 0, stopped = false
  const look = () => {
    const now = performance.now()
    longestGap = Math.max(longestGap, now - last)
    last = now
    if (!stopped) setTimeout(look, 4)
  }
  setTimeout(look, 4)
  return {
    stop() {
      stopped = true
      longTasks.push(...observer.takeRecords().map(entry => entry.duration))
      observer.disconnect()
      return { longTasks, longestGap, observed }
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
