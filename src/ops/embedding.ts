/**
 * Rows of tables by index (assembly/kernels/embedding.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Pass } from './pass.ts'

/** The sum of one row of each table: ids [M] into tables [V, C], to [M, C]; summed in the order given. */
export function embedding(pass: Pass, layer: string, lookups: readonly { ids: Value, table: Tensor }[]): Value {
  const { graph } = pass
  const M = lookups[0].ids.length, C = lookups[0].table.columns
  const tables = lookups.map(({ table }) => pass.parameter(table))
  const y = graph.value([M, C], tables.some(table => table.trains))
  lookups.forEach(({ ids }, i) => {
    const kernel = i === 0 ? 'embedding_forward' : 'embedding_add_forward'
    graph.node({
      op: kernel, layer, outs: [y], ins: [ids, tables[i]],
      run: (k, at) => { k[kernel](at(y), at(ids), at(tables[i]), M, C) },
    })
  })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    lookups.forEach(({ ids }, i) => graph.addGradient(tables[i], (dtable, accumulate) => graph.node({
      op: 'embedding_backward', layer, outs: [dtable], ins: [dy, ids],
      run: (k, at) => {
        if (!accumulate) k['zero'](at(dtable), dtable.length)
        k['embedding_backward'](at(dtable), at(dy), at(ids), M, C)
      },
    })))
  })
  return y
}
