/**
 * Rows of tables by index (assembly/kernels/embedding.ts, narrow-embedding.ts).
 * @module
 */
import type { Value } from '../graph/value.ts'
import type { Pass } from './pass.ts'
import type { Table } from './table.ts'

/** The sum of one row of each table: ids [M] into tables [V, C], to [M, C]; summed in the order given. */
export function embedding(pass: Pass, layer: string, lookups: readonly { ids: Value, table: Table }[]): Value {
  const { graph } = pass
  const M = lookups[0].ids.length, C = lookups[0].table.columns
  for (const { ids, table } of lookups) checkIds(graph.given(ids), ids, M, table, C)
  const tables = lookups.map(({ table }) => table.dense && pass.parameter(table.dense))
  const y = graph.value([M, C], tables.some(table => table?.trains))
  lookups.forEach(({ ids, table }, i) => {
    const dense = tables[i]
    graph.node({
      op: i === 0 ? 'embedding_forward' : 'embedding_add_forward', layer, outs: [y], ins: [ids, ...(dense ? [dense] : [])],
      run: (k, at) => { table.lookup(k, at(y), at(ids), dense ? at(dense) : 0, M, i > 0) },
    })
  })
  graph.onBackward([y], () => {
    const dy = graph.gradient(y)!
    lookups.forEach(({ ids }, i) => {
      const table = tables[i]
      if (table === undefined) return
      graph.addGradient(table, (dtable, accumulate) => graph.node({
        op: 'embedding_backward', layer, outs: [dtable], ins: [dy, ids],
        run: (k, at) => {
          if (!accumulate) k['zero'](at(dtable), dtable.length)
          k['embedding_backward'](at(dtable), at(dy), at(ids), M, C)
        },
      }))
    })
  })
  return y
}

/** A kernel would read and write outside the table. */
function checkIds(given: Int32Array | Float32Array | undefined, ids: Value, M: number, table: Table, C: number): void {
  if (ids.length !== M || table.columns !== C) {
    throw new RangeError(`"${table.name}" expected ${M} ids into rows of ${C}, got ${ids.length} into rows of ` +
      `${table.columns}`)
  }
  if (!(given instanceof Int32Array)) {
    throw new TypeError(`"${table.name}" expected ids as an Int32Array input of the graph`)
  }
  for (let i = 0; i < M; i++) {
    if (!(given[i] >= 0 && given[i] < table.rows)) {
      throw new RangeError(`"${table.name}" expected ids from 0 to ${table.rows - 1}, got ${given[i]} at ${i}; ` +
        `use the tokenizer of this model`)
    }
  }
}
