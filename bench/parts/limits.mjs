// The machine's limits, against which products are measured.
export const title = 'Limits: 128-bit vectors, nothing fused, one thread (10^9 operations a second)'

export async function rows({ nodes, job }) {
  const rows = []
  for (const node of nodes) {
    const { loops } = await job(node, 'limits')
    for (const [kind, what] of [['f32', 'f32 multiply and add'], ['int', 'i16 dot product and i32 add']]) {
      const own = loops.filter((loop) => loop.kind === kind)
      const best = own.reduce((a, b) => b.rate > a.rate ? b : a)
      rows.push({
        what, on: node.name, value: best.rate, unit: 'Gop/s', data: { kind, loops: own },
        note: own.map(({ name, rate }) => `${name} ${rate.toFixed(0)}`).join(', '),
      })
    }
  }
  return rows
}
