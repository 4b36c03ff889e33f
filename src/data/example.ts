/**
 * Labelled texts and the people they belong to.
 * @module
 */

/** One text and its label. */
export interface Example {
  readonly text: string
  readonly label: string
}

/** One person (or device): what they hold is never mixed with another's before it is protected. */
export interface Client {
  readonly id: string
  /** At least one. */
  readonly examples: readonly Example[]
}

/** An example, whose it is, and where it stands in its file. */
export interface LabelledRecord extends Example {
  readonly client: string
  /** Line of the file on which the record starts, from 1. */
  readonly line: number
}

/** Gathers records by client. Clients are sorted by id, so that the result does not depend on the order of a file. */
export function groupByClient(records: Iterable<LabelledRecord>): Client[] {
  const groups = new Map<string, Example[]>()
  for (const { client, text, label } of records) {
    const examples = groups.get(client)
    if (examples === undefined) groups.set(client, [{ text, label }])
    else examples.push({ text, label })
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([id, examples]) => Object.freeze({ id, examples }))
}
