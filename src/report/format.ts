/**
 * Numbers for people. Privacy costs are rounded up, never down.
 * @module
 */

/** 0.9731 as `97.3 %`. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : 'none'
}

/** ε with three digits after the point, rounded up; `infinite` where there is no bound. */
export function epsilonText(epsilon: number, digits = 3): string {
  if (!Number.isFinite(epsilon)) return 'infinite'
  const unit = 10 ** digits
  // what is above by rounding of doubles alone is not carried up
  return (Math.ceil(epsilon * unit * (1 - 1e-12)) / unit).toFixed(digits)
}

/** Bytes in units of a thousand: `1.9 kB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let value = bytes, unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toPrecision(3)} ${units[unit]}`
}

/** `4.2 s`, `1 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (!(seconds >= 0) || seconds === Infinity) return 'unknown time'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`
}

/** 12345 as `12,345`; small numbers with one digit after the point. */
export function count(value: number): string {
  if (value < 10 && !Number.isInteger(value)) return value.toFixed(1)
  return String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A number with three or four digits that matter: 1e-6, 0.8005, 1500. */
export function number(value: number, digits = 4): string {
  if (value === 0 || !Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e7) return value.toExponential(digits - 1).replace(/\.?0+e/, 'e').replace('e+', 'e')
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(digits)))
}

/** 95 % half-width of a share measured on n examples (Wilson's interval, its larger side). */
export function shareError(share: number, n: number): number {
  const z = 1.96, d = 1 + z * z / n
  const centre = (share + z * z / (2 * n)) / d
  const half = z / d * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
  return Math.max(Math.abs(centre + half - share), Math.abs(share - (centre - half)))
}
