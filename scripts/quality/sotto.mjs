// The built package, as far as quality is measured with it.
const dist = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href)

export async function built() {
  const parts = await Promise.all(['index.js', 'runtime/node.js', 'random.js', 'wasm/engine.js', 'train/gradients.js', 'train/step.js', 'peft/slice.js', 'model/quantize.js', 'checkpoint/source.js'].map(dist))
  return Object.assign({}, ...parts)
}
