/**
 * The version of the numerics: of every formula, constant, order of roundings and random stream that docs/numerics.md
 * defines. Two runs agree to the last bit where their versions agree.
 * @module
 */
import { show } from './assert.ts'
import { FormatError } from './errors.ts'

/**
 * Version of docs/numerics.md that this code implements. A change of any bit of any operation is a new version. Plans
 * bind to it: a client does not train for a plan of another version. Checkpoints name it: their weights stay valid, but
 * who goes on training from one of another version will not repeat the bits that the other version would give.
 */
export const NUMERICS_VERSION = 1

/** Key of the version in the metadata of safetensors files, where its value is the version in decimal digits. */
export const NUMERICS_KEY = 'sotto.numerics'

/** @throws RangeError where something that must be computed with the same bits names another version */
export function sameNumerics(title: string, version: unknown): void {
  if (version !== NUMERICS_VERSION) {
    throw new RangeError(`"${title}" expected numerics version ${NUMERICS_VERSION}, which this Sotto computes, got ` +
      `version ${show(version)}; use a release of Sotto with that version, or one version everywhere`)
  }
}

/**
 * The version that a file's metadata name; undefined where they name none, as in files that others wrote.
 *
 * @throws FormatError where it is no positive integer
 */
export function numericsOf(title: string, metadata: ReadonlyMap<string, string>): number | undefined {
  const text = metadata.get(NUMERICS_KEY)
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new FormatError(`${show(title)} expected a positive integer as metadata "${NUMERICS_KEY}", got ${show(text)}`)
  }
  return Number(text)
}
