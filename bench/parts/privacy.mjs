// The accountants and the mechanism: rows of bench/privacy.mjs, where it is.
import { existsSync } from 'node:fs'

export const title = 'Privacy'

export async function rows(context, options) {
  const file = new URL('../privacy.mjs', import.meta.url)
  if (!existsSync(file)) return [{ what: 'accountants and mechanism', text: 'absent', note: 'bench/privacy.mjs is not there' }]
  const module = await import(file.href)
  return module.rows(context, options)
}
