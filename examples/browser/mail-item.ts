/** One mail in the list: its text, what its owner says, what the filter thinks before and after. */
import { percentText } from './words.ts'

/** What the owner says of a mail. */
export type Label = 'spam' | 'ham' | 'none'

/** A mail of the list. */
export interface Item {
  readonly text: string
  readonly label: Label
  readonly element: HTMLLIElement
  readonly focusTarget: HTMLElement
  show(which: 'before' | 'after', chance: number | undefined): void
  /** The chance of spam that the filter gives it now. */
  now(): number | undefined
  /** Whether the filter judges it as its owner does; and whether it did before training. */
  agrees(): boolean
  agreed(): boolean
  lock(busy: boolean): void
}

const CHOICES = { spam: 'spam', ham: 'not spam', none: 'only check it' } as const
let made = 0

export function mailItem(text: string, first: Label, on: { changed(): void, removed(item: Item): void }): Item {
  let label = first
  const chances: { before?: number | undefined, after?: number | undefined } = {}
  const lines = text.split('\n'), name = `mail-${++made}`
  const title = make('h3', cut(lines[0], 120)), element = make('li')
  title.id = `${name}-title`
  const remove = make('button', '✕')
  remove.type = 'button'
  remove.className = 'remove'
  remove.setAttribute('aria-label', `Remove: ${cut(lines[0], 80)}`)
  remove.addEventListener('click', () => on.removed(item))
  const body = make('p', cut(lines.slice(1).join(' '), 300))
  body.className = 'body'
  // each in the direction of its own letters
  title.dir = body.dir = 'auto'

  const choice = make('fieldset'), legend = make('legend', 'You say')
  choice.setAttribute('aria-describedby', title.id)
  choice.append(legend, ...(Object.keys(CHOICES) as Label[]).map(value => {
    const input = make('input'), line = make('label')
    Object.assign(input, { type: 'radio', name, value, checked: value === label })
    input.addEventListener('change', () => {
      label = value
      render()
      on.changed()
    })
    line.append(input, CHOICES[value])
    return line
  }))
  const verdicts = make('dl'), agree = make('p')
  verdicts.className = 'verdicts'
  agree.className = 'agree'
  element.append(title, remove, ...body.textContent ? [body] : [], choice, verdicts, agree)

  const isRight = (chance: number | undefined) => chance !== undefined && (chance > 0.5) === (label === 'spam')
  const now = () => chances.after ?? chances.before
  const rows = { before: verdictRow(), after: verdictRow() }
  verdicts.append(rows.before.element, rows.after.element)
  function render(): void {
    const { before, after } = chances
    rows.before.show(after === undefined ? 'Filter' : 'Before', before, after !== undefined)
    rows.after.show(before === undefined ? 'Filter' : 'After', after, false)
    agree.textContent = label === 'none' || now() === undefined ? ''
      : isRight(now()) ? before !== undefined && !isRight(before) ? 'The filter has changed its mind: it agrees with you now.' : 'The filter agrees with you.'
        : 'The filter does not agree with you.'
  }
  const item: Item = {
    text, element, now,
    get label() { return label },
    focusTarget: remove,
    show(which, chance) {
      chances[which] = chance
      render()
    },
    agrees: () => isRight(now()),
    agreed: () => isRight(chances.before),
    lock(busy) {
      choice.disabled = busy
      remove.disabled = busy
    },
  }
  render()
  return item
}

/** A bar and words for a chance. */
function verdictRow(): { element: HTMLElement, show(name: string, chance: number | undefined, past: boolean): void } {
  const element = make('div'), term = make('dt'), bar = make('dd'), word = make('dd'), fill = make('i')
  bar.className = 'bar'
  bar.setAttribute('aria-hidden', 'true')
  bar.append(fill)
  word.className = 'word'
  element.append(term, bar, word)
  return {
    element,
    show(name, chance, past) {
      element.hidden = chance === undefined
      element.className = past ? 'verdict past' : 'verdict'
      if (chance === undefined) return
      const spam = chance > 0.5
      element.dataset['verdict'] = spam ? 'spam' : 'ham'
      term.textContent = name
      fill.style.setProperty('--chance', String(chance))
      word.textContent = `${spam ? 'spam' : 'not spam'}, ${percentText(chance)}`
    },
  }
}

function make<K extends keyof HTMLElementTagNameMap>(tag: K, text?: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  return element
}

/** The beginning of a text, without half a letter at its end. */
function cut(text: string, length: number): string { return text.slice(0, length).replace(/[\ud800-\udbff]$/, '') }
