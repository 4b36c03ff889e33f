// How measurements grow.

/**
 * The straight line through points that has the smallest squares of relative errors, and how far the worst point lies from
 * it, as a share of the point.
 *
 * @param {readonly (readonly [x: number, y: number])[]} points
 */
export function line(points) {
  let w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0
  for (const [x, y] of points) {
    const weight = 1 / (y * y)
    w += weight
    wx += weight * x
    wy += weight * y
    wxx += weight * x * x
    wxy += weight * x * y
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx), fixed = (wy - slope * wx) / w
  return { fixed, slope, deviation: Math.max(...points.map(([x, y]) => Math.abs(fixed + slope * x - y) / y)) }
}

/** The exponent p of y ~ x^p, by least squares of logarithms. */
export function exponent(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)])
  const mean = (i) => logs.reduce((sum, pair) => sum + pair[i], 0) / logs.length
  const mx = mean(0), my = mean(1)
  return logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
}
