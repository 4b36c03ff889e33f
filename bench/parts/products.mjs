// Matrix products as shares of the machine's limit, measured in turn with it.
export const title = 'Matrix products: share of the limit (M x K x N: x [M, K], W [N, K])'

const SIZES = [[1024, 384, 384], [1024, 384, 1536], [1024, 1536, 384], [128, 768, 3072]]
const QUICK = [[13, 24, 16], [8, 40, 24]]

export async function rows({ nodes, job, quick }, { spoil } = {}) {
  const rows = []
  for (const node of nodes) {
    const { results } = await job(node, 'products', { sizes: quick ? QUICK : SIZES, spoil })
    for (const { format, name, M, K, N, share, rate, limit, failed } of results) {
      rows.push({
        what: `${format} ${name} ${M} x ${K} x ${N}`, on: node.name, unit: 'share',
        goal: { least: format === 'f32' ? 0.88 : 0.8, for: node.goals && !quick },
        ...(failed ? { failed } : { value: share, note: `${rate.toFixed(1)} of ${limit.toFixed(1)} Gop/s`, data: { format, M, K, N, rate, limit } }),
      })
    }
  }
  return rows
}
