/**
 * Argument checks. Each returns its value, so that a check is also an assignment. TypeError: wrong type;
 * RangeError: wrong value.
 * @module
 */

/** How a value is shown in an error: short, on one line. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 120 ? `${value.slice(0, 117)}...` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (value === null || typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.length > 8 ? `an array of ${value.length}` : `[${value.map(show).join(', ')}]`
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** A finite number within [min, max]. */
export function aNumber(title: string, value: unknown, min = -Infinity, max = Infinity): number {
  if (typeof value !== 'number') throw new TypeError(`"${title}" expected a number, got ${show(value)}`)
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new RangeError(`"${title}" expected ${range('a finite number', min, max)}, got ${value}`)
  }
  return value
}

/** A safe integer within [min, max]. */
export function anInteger(title: string, value: unknown, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number') throw new TypeError(`"${title}" expected an integer, got ${show(value)}`)
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`"${title}" expected ${range('an integer', min, max)}, got ${value}`)
  }
  return value
}

/** A string, not empty unless allowed. */
export function aString(title: string, value: unknown, allowEmpty = false): string {
  if (typeof value !== 'string') throw new TypeError(`"${title}" expected a string, got ${show(value)}`)
  if (!allowEmpty && value === '') throw new RangeError(`"${title}" expected a string that is not empty, got ""`)
  return value
}

/** True or false: nothing is taken for one of them. */
export function aBoolean(title: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new TypeError(`"${title}" expected true or false, got ${show(value)}`)
  return value
}

/** One of a list of strings. */
export function oneOf<T extends string>(title: string, value: unknown, choices: readonly T[]): T {
  if (typeof value !== 'string') throw new TypeError(`"${title}" expected a string, got ${show(value)}`)
  if (!(choices as readonly string[]).includes(value)) {
    throw new RangeError(`"${title}" expected one of ${choices.map(show).join(', ')}, got ${show(value)}`)
  }
  return value as T
}

/** A plain object whose keys are all in `known`: an unknown option is an error, never ignored. */
export function anOptions<T extends object>(title: string, value: T, known: readonly string[]): T {
  if (value === null || typeof value !== 'object') throw new TypeError(`"${title}" expected an object, got ${show(value)}`)
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new RangeError(`"${title}" expected the options ${known.join(', ')}; got the unknown option ${show(key)}`)
    }
  }
  return value
}

/** An object with these functions, e.g. a host. */
export function anObjectWith<T extends object>(title: string, value: T, functions: readonly (keyof T & string)[], advice: string): T {
  const missing = value === null || typeof value !== 'object' ? 'none' : functions.find(name => typeof value[name] !== 'function')
  if (missing !== undefined) {
    throw new TypeError(`"${title}" expected an object with ${functions.join(', ')}, got ${show(value)}${missing === 'none' ? '' : ` without ${missing}`}; ${advice}`)
  }
  return value
}

/** Two shapes are the same. */
export function sameShape(title: string, got: readonly number[], expected: readonly number[]): void {
  if (got.length !== expected.length || got.some((size, i) => size !== expected[i])) {
    throw new RangeError(`"${title}" expected shape [${expected.join(', ')}], got [${got.join(', ')}]`)
  }
}

function range(what: string, min: number, max: number): string {
  if (min === -Infinity && max === Infinity) return what
  if (max === Infinity || max === Number.MAX_SAFE_INTEGER) return `${what} >= ${min}`
  if (min === -Infinity) return `${what} <= ${max}`
  return `${what} from ${min} to ${max}`
}
