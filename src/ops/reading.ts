/**
 * One pass over an array [M, L] for all linear layers that read it: the array as integers, for int8 weights, and the f32
 * products of low-rank branches, u = x P^T, whose factors lie one under another. Each is made once, however many layers ask.
 * @module
 */
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'

/** A factor P [rows, L] that a branch multiplies the array with. */
interface Factor {
  readonly value: Value
  readonly rows: number
  readonly layer: string
}

/** Columns of u that belong to one branch. */
export interface Columns {
  /** [M, all columns] */
  readonly u: Value
  /** Bytes to the branch's first column. */
  readonly skip: number
  /** Floats of a row, known when the graph is complete. */
  readonly stride: () => number
}

/** What is made of one array. Layers ask while the graph is built; one node does all that was asked for. */
export class Reading {
  readonly #graph: Graph
  readonly #x: Value
  readonly #outs: Value[] = []
  readonly #ins: Value[]
  readonly #factors: Factor[] = []
  #integers: Value | undefined
  #products: { readonly u: Value, readonly rows: Value, readonly panels: Value } | undefined

  /**
   * Appends the node.
   *
   * @param layer - that reads x first
   * @param fold - address of factors for the columns of x, before they become integers; 0: none
   */
  constructor(graph: Graph, x: Value, layer: string, fold = 0) {
    this.#graph = graph
    this.#x = x
    this.#ins = [x]
    const { kernels, tiles } = graph.engine
    graph.node({
      op: 'linear_read', layer, outs: this.#outs, ins: this.#ins, scratch: kernels['gemm_scratch'](),
      blame: (_, index) => {
        let column = index % this.#columns
        return { op: 'low_rank_down', layer: this.#factors.find(({ rows }) => (column -= rows) < 0)!.layer }
      },
      run: (k, at, scratch) => {
        const [M, L] = x.shape, n = this.#columns, products = this.#products
        let panels = 0
        if (products) {
          let from = at(this.#factors[0].value)
          panels = at(products.panels)
          if (this.#factors.length > 1) {
            from = at(products.rows)
            let to = from
            for (const { value, rows } of this.#factors) {
              k['copy'](to, at(value), rows * L)
              to += rows * L * 4
            }
          }
          k['pack_weight'](panels, from, 0, n, L, scratch)
        }
        const u = products ? at(products.u) : 0
        // whoever runs a part of it: the tiles of an operand are of one kind
        if (this.#integers) k['int8_rows'](at(this.#integers), at(x), fold, M, L, 0, M, tiles.forOperand(M, L), u, panels, n, scratch)
        else k['linear_forward'](u, at(x), panels, 0, 0, M, n, L, scratch)
      },
    })
  }

  /** x as the operand of int8 products. */
  integers(): Value {
    if (this.#integers === undefined) {
      const [M, L] = this.#x.shape
      this.#integers = this.#graph.room(this.#graph.engine.kernels['int8_operand_bytes'](M, L))
      this.#outs.push(this.#integers)
    }
    return this.#integers
  }

  /** x P^T, for the first `rows` rows of a factor. */
  product(value: Value, rows: number, layer: string): Columns {
    const graph = this.#graph, [M, L] = this.#x.shape
    if (this.#products === undefined) {
      this.#products = { u: graph.value([M, 0], false), rows: graph.value([0], false), panels: graph.value([0], false) }
      const { u, rows, panels } = this.#products
      this.#outs.push(u, rows, panels)
      this.#ins.push(rows, panels)
    }
    const { u, rows: stack, panels } = this.#products, skip = this.#columns * 4
    this.#factors.push({ value, rows, layer })
    this.#ins.push(value)
    const n = this.#columns
    graph.resize(u, [M, n])
    // a single factor is packed from where it is
    graph.resize(stack, [this.#factors.length > 1 ? n * L : 0])
    graph.resize(panels, [graph.engine.kernels['packed_weight_length'](n, L)])
    return { u, skip, stride: () => u.shape[1] }
  }

  get #columns(): number { return this.#factors.reduce((sum, { rows }) => sum + rows, 0) }
}
