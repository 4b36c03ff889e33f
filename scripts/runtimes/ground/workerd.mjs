// The ground of workerd: modules are imported, files come from the driver's server, work happens inside a request.
import scalar from '../wasm/sotto.scalar.wasm'
import simd from '../wasm/sotto.simd.wasm'
import { answerOf } from './answer.mjs'

const modules = { simd, scalar }

export function serve(main) {
  return {
    async fetch(request, environment) {
      const { input, root } = await request.json()
      return new Response(await answerOf(main, {
        runtime: 'workerd', input, root, environment, modules,
        async file(name) {
          const response = await fetch(`${root}/${name}`)
          if (!response.ok) throw new Error(`expected ${name}, got status ${response.status}`)
          return new Uint8Array(await response.arrayBuffer())
        },
        async wasm(variant) {
          if (!modules[variant]) throw new Error(`expected simd or scalar, got ${variant}: workerd has no shared memory`)
          return modules[variant]
        },
      }))
    },
  }
}
