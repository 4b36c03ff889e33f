/**
 * What a population of clients looks like, in numbers for a report.
 * @module
 */
import type { Client } from './example.ts'

/** Counts of a population. */
export interface PopulationReport {
  readonly clients: number
  readonly examples: number
  /** Examples a client: minimum, lower quartile, median, upper quartile, maximum. */
  readonly examplesPerClient: readonly [number, number, number, number, number]
  /** Share of each label among all examples, sorted by label. */
  readonly labelShares: Readonly<Record<string, number>>
  /** Clients that hold at least one example of every label. */
  readonly clientsWithAllLabels: number
}

/** Counts clients, examples and labels. */
export function describeClients(clients: readonly Client[]): PopulationReport {
  const counts = new Map<string, number>()
  for (const { examples } of clients) for (const { label } of examples) counts.set(label, (counts.get(label) ?? 0) + 1)
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  const sizes = clients.map(({ examples }) => examples.length).sort((a, b) => a - b)
  const at = (share: number): number => sizes.length === 0 ? 0 : sizes[Math.floor(share * (sizes.length - 1))]
  const names = [...counts.keys()].sort()
  return Object.freeze({
    clients: clients.length,
    examples: total,
    examplesPerClient: Object.freeze([at(0), at(0.25), at(0.5), at(0.75), at(1)] as const),
    labelShares: Object.freeze(Object.fromEntries(names.map(name => [name, (counts.get(name) as number) / total]))),
    clientsWithAllLabels: clients.filter(
      ({ examples }) => new Set(examples.map(({ label }) => label)).size === counts.size,
    ).length,
  })
}
