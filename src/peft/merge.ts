/**
 * Merging an adapter into the weights of its sites, W + scale * B A, and taking it out again. The weights as they were
 * are kept, so unmerging restores them bit for bit.
 * @module
 */
import { NumericError } from '../errors.ts'
import type { Engine } from '../wasm/engine.ts'
import type { LoraAdapter } from './lora.ts'

/** Merges the first `rank` ranks. Returns the function that takes them out again. */
export function mergeLora(engine: Engine, adapter: LoraAdapter, rank: number = adapter.config.rank): () => void {
  const scale = adapter.scale(rank)
  const saved: (() => void)[] = []
  const restore = () => saved.splice(0).forEach(undo => undo())
  try {
    for (const { site, A, Bt } of adapter.pairs) {
      const { outputs: N, inputs: K } = site.weight
      const values = site.weight.read()
      const merged = engine.arena.frame(N * K * 4 + 64 + engine.kernels['gemm_scratch'](), block => {
        engine.arena.f32(block, N * K).set(values)
        const scratch = Math.ceil((block + N * K * 4) / 64) * 64
        engine.kernels['matmul'](block, K, Bt.ptr, 1, N, A.ptr, K, 1, N, K, rank, scale, 1, 0, scratch)
        if (engine.kernels['first_nonfinite'](block, N * K) >= 0) {
          throw new NumericError('merge', site.name, 'a weight that is not')
        }
        return engine.arena.f32(block, N * K).slice()
      })
      saved.push(site.weight.save())
      site.weight.write(merged)
    }
  } catch (error) {
    restore()
    throw error
  }
  return restore
}
