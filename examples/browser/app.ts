/**
 * The page: hears its user, tells the worker, shows what comes back. Nothing here computes.
 */
import { ownMails } from '../filter/mails.ts'
import { byId, count, failureText, secondsText } from './words.ts'
import { forgetPage, keepPage } from './keep-page.ts'
import { mailItem } from './mail-item.ts'
import type { Item, Label } from './mail-item.ts'
import type { FromWorker, Outcome, ToWorker } from './messages.ts'

const [status, statusBar, facts, trouble] = [byId('status-text'), byId<HTMLProgressElement>('status-bar'), byId('status-facts'), byId('trouble')]
const [form, text, textError, list, summary, noneYet] =
  [byId<HTMLFormElement>('mails'), byId<HTMLTextAreaElement>('text'), byId('text-error'), byId('list'), byId('summary'), byId('none-yet')]
const [trainButton, pauseButton, cancelButton, spoken] =
  [byId<HTMLButtonElement>('train'), byId<HTMLButtonElement>('pause'), byId<HTMLButtonElement>('cancel'), byId('spoken')]

const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'filter' })
const tell = (message: ToWorker) => worker.postMessage(message)

let items: Item[] = []
let state: 'loading' | 'ready' | 'training' | 'paused' | 'failed' = 'loading'
let trained = false, interrupted = false, restoring = false
let asked = 0
const waiting = new Map<number, { items: Item[], which: 'before' | 'after' }>()

/** What can be pressed now. */
function refresh(): void {
  const busy = state === 'training' || state === 'paused', judged = items.filter(({ label }) => label !== 'none').length
  noneYet.hidden = items.length > 0
  for (const button of form.querySelectorAll('button')) button.disabled = busy || state === 'failed'
  for (const item of items) item.lock(busy)
  trainButton.disabled = state !== 'ready' || judged === 0
  trainButton.hidden = busy
  trainButton.textContent = interrupted ? 'Continue the training' : trained ? 'Train again, from the published filter' : 'Train the filter'
  pauseButton.hidden = cancelButton.hidden = !busy
  pauseButton.textContent = state === 'paused' ? 'Resume' : 'Pause'
  byId('ask').hidden = judged > 0
  const known = items.filter(item => item.label !== 'none' && item.now() !== undefined), right = known.filter(item => item.agrees()).length
  summary.textContent = known.length === 0 ? '' : `The filter judges ${right} of ${count(known.length, 'mail')} as you do.`
  byId('own-score').textContent = `${known.filter(item => item.agreed()).length} → ${right} of ${known.length}`
}

function add(texts: readonly string[], label: Label): Item[] {
  const added = texts.map(each => mailItem(each, label, { changed, removed }))
  items = [...items, ...added]
  list.append(...added.map(({ element }) => element))
  classify(added, trained ? 'after' : 'before')
  refresh()
  return added
}

function changed(): void {
  interrupted = false
  refresh()
}

function removed(item: Item): void {
  const at = items.indexOf(item)
  items = items.filter(each => each !== item)
  item.element.remove()
  changed()
  // the focus goes on to what is nearest
  ;(items[Math.min(at, items.length - 1)]?.focusTarget ?? text).focus()
}

function classify(of: Item[], which: 'before' | 'after'): void {
  if (of.length === 0 || state === 'loading' || restoring) return
  waiting.set(++asked, { items: of, which })
  tell({ kind: 'classify', id: asked, texts: of.map(item => item.text) })
}

form.addEventListener('submit', event => {
  event.preventDefault()
  const label = ((event as SubmitEvent).submitter as HTMLButtonElement | null)?.value as Label | undefined
  const texts = text.value.split(/^\s*-{3,}\s*$/m).map(each => each.trim()).filter(each => each !== '')
  textError.hidden = texts.length > 0
  text.toggleAttribute('aria-invalid', texts.length === 0)
  if (texts.length === 0) {
    textError.textContent = 'There is no text yet. Paste a mail first.'
    return text.focus()
  }
  add(texts, label ?? 'none')
  text.value = ''
  text.focus()
})

byId('fill').addEventListener('click', () => {
  for (const label of ['ham', 'spam'] as const) add(ownMails.filter(mail => mail.label === label).map(mail => mail.text), label)
  items[0].focusTarget.focus()
})

trainButton.addEventListener('click', () => {
  state = 'training'
  byId('training').hidden = false
  say('Training has begun.')
  tell({ kind: 'train', resume: interrupted, mails: items.flatMap(({ text: mail, label }) => label === 'none' ? [] : [{ text: mail, label }]) })
  interrupted = false
  refresh()
  pauseButton.focus()
})
pauseButton.addEventListener('click', () => tell({ kind: state === 'paused' ? 'resume' : 'pause' }))
cancelButton.addEventListener('click', () => tell({ kind: 'cancel' }))
byId('undo').addEventListener('click', () => tell({ kind: 'undo' }))
byId('forget').addEventListener('click', () => tell({ kind: 'forget' }))

/** For those who listen: not every step, only what changes. */
function say(words: string): void { spoken.textContent = words }

let told = 0
function showProgress({ done, steps, loss, left, paused }: Extract<FromWorker, { kind: 'progress' }>): void {
  const bar = byId<HTMLProgressElement>('progress'), quarter = Math.floor(4 * done / steps)
  bar.max = steps
  bar.value = done
  bar.textContent = `${done} of ${steps}`
  const rest = paused ? 'paused' : left === undefined ? '' : left < 1000 ? 'nearly done' : `about ${secondsText(left)} left`
  byId('progress-text').textContent = [`Step ${done} of ${steps}`, done > 0 ? `loss ${loss.toFixed(2)}` : '', rest].filter(part => part !== '').join(' · ')
  const before = state
  state = paused ? 'paused' : 'training'
  if (before !== state) {
    say(paused ? `Paused at step ${done} of ${steps}.` : 'Training goes on.')
    refresh()
  } else if (quarter !== told && quarter > 0 && quarter < 4) say(`${25 * quarter} percent trained.`)
  told = quarter
}

function showOutcome({ contribution, adapter, samples, samplesBefore, samplesAfter }: Outcome): void {
  trained = true
  byId('result').hidden = false
  byId('sample-score').textContent = `${samplesBefore} → ${samplesAfter} of ${samples}`
  byId('vector-size').textContent = `${contribution.length.toLocaleString('en')} numbers of ${contribution.bits} bits: ${(contribution.length * contribution.bits / 8000).toFixed(0)} kB`
  byId('vector-first').textContent = `${contribution.first.join(', ')}, …`
  byId('vector-hash').textContent = contribution.hash
  byId('adapter-hash').textContent = adapter
  classify(items, 'after')
}

function forgetOutcome(): void {
  trained = interrupted = false
  byId('result').hidden = byId('training').hidden = true
  for (const item of items) item.show('after', undefined)
}

function complain(message: string): void {
  trouble.textContent = message
  trouble.hidden = false
}

worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
  switch (data.kind) {
    case 'loading':
      status.textContent = 'Loading the filter …'
      statusBar.hidden = false
      statusBar.value = Math.min(1, data.loaded / data.total)
      facts.textContent = `${(data.loaded / 1e6).toFixed(1)} of ${(data.total / 1e6).toFixed(1)} MB`
      break
    case 'ready':
      state = 'ready'
      statusBar.hidden = true
      status.textContent = 'The filter is ready, on this device.'
      facts.textContent = [data.fetched ? 'Files downloaded and checked' : 'Files from this browser, checked: nothing was downloaded',
        data.threads > 1 ? `${data.threads} threads over one copy of the weights` : 'one thread', data.simd ? '' : 'no SIMD here: slower, the same bits'].filter(part => part !== '').join(' · ')
      if (data.problem) complain(`The filter works, but this browser could not keep its files (${data.problem}). They will be loaded again next time.`)
      restoring = true
      data.mine?.mails.forEach(mail => add([mail.text], mail.label))
      restoring = false
      interrupted = data.mine?.interrupted === true
      if (interrupted) status.textContent = 'A training was interrupted. It can go on where it was.'
      if (data.outcome) showOutcome(data.outcome)
      else classify(items, 'before')
      refresh()
      break
    case 'verdicts': {
      const { items: of, which } = waiting.get(data.id)!
      waiting.delete(data.id)
      of.forEach((item, i) => item.show(which, data.chances[i]))
      if (waiting.size === 0) refresh()
      break
    }
    case 'progress':
      showProgress(data)
      break
    case 'kept':
      // it may have gone on meanwhile
      if (state === 'paused' && byId<HTMLProgressElement>('progress').value === data.done) byId('progress-text').textContent += ' and kept: the page can be closed'
      break
    case 'trained':
      state = 'ready'
      showOutcome(data)
      byId('progress-text').textContent = `Trained in ${secondsText(1000 * data.seconds)}.`
      byId('result-text').textContent = `${count(items.filter(({ label }) => label !== 'none').length, 'mail')} taught the filter in ${secondsText(1000 * data.seconds)}.` +
        (data.kept ? '' : ' This browser could not keep it: it is gone when the page closes.')
      say('Trained. What changed is below.')
      refresh()
      byId('result-title').focus()
      break
    case 'cancelled':
      state = 'ready'
      forgetOutcome()
      say('Cancelled. The filter is as it was published.')
      refresh()
      trainButton.focus()
      break
    case 'undone':
      forgetOutcome()
      say('The filter is as it was published.')
      refresh()
      trainButton.focus()
      break
    case 'forgotten':
      state = 'ready'
      for (const item of items) item.element.remove()
      items = []
      forgetOutcome()
      void forgetPage()
      say('Everything is forgotten.')
      status.textContent = 'Everything is forgotten: your mails, your filter and all files.'
      facts.textContent = ''
      refresh()
      text.focus()
      break
    case 'failed':
      state = data.doing === 'open' ? 'failed' : 'ready'
      if (state === 'failed') {
        status.textContent = 'The filter could not be loaded.'
        statusBar.hidden = true
        facts.textContent = ''
      }
      complain(failureText(data.doing, data.message))
      refresh()
  }
})
worker.addEventListener('error', event => {
  event.preventDefault()
  state = 'failed'
  status.textContent = 'The filter could not be loaded.'
  complain(failureText('open', event.message || 'the worker could not start'))
  refresh()
})

const wanted = new URLSearchParams(location.search)
// the page's own thread and one more keep a core busy each
tell({ kind: 'open', threads: Number(wanted.get('threads')) || Math.min(4, Math.max(2, navigator.hardwareConcurrency - 1)) })
keepPage()
if (wanted.has('selftest')) void import('./selftest.js' as string).then(({ run }: { run: () => Promise<void> }) => run())
refresh()
