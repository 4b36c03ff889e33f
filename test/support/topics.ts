/** People with one short text each, of five topics, whose labels are partly random: what a model can only know by heart. */
import type { Client } from '../../src/data/example.ts'
import { rng } from './rng.ts'

export const TOPICS: Readonly<Record<string, readonly string[]>> = {
  work: ['meeting', 'tomorrow', 'reply', 'list'], spam: ['win', 'free', 'money', 'click'],
  weather: ['rain', 'sun', 'cloud', 'wind'], sport: ['goal', 'ball', 'team', 'match'], food: ['bread', 'milk', 'soup', 'rice'],
}

/** @param random - share of the labels that have nothing to do with the text */
export function people(count: number, random: number, seed: number): Client[] {
  const source = rng(seed)
  const labels = Object.keys(TOPICS)
  const any = () => labels[source.int(0, labels.length - 1)]
  return Array.from({ length: count }, (_, i) => {
    const topic = any()
    const words = Array.from({ length: source.int(8, 16) }, () => {
      const from = TOPICS[source.uniform() < 0.7 ? topic : any()]
      return from[source.int(0, from.length - 1)]
    })
    const label = source.uniform() < random ? any() : topic
    return { id: `person ${i}`, examples: [{ text: words.join(' '), label }] }
  })
}
