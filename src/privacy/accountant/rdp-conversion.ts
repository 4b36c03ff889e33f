/**
 * From a curve of Rényi divergences to (ε, δ).
 * @module
 */
import { exp, expm1, log, log1p } from './num/elementary.ts'

/** Orders that serve ε from 0.01 to 100: the fractional ones matter for large ε, the high ones for small. */
export const DEFAULT_ORDERS: readonly number[] = /* @__PURE__ */ Object.freeze([
  ...Array.from({ length: 99 }, (_, i) => (11 + i) / 10), ...Array.from({ length: 53 }, (_, i) => 11 + i),
  80, 96, 128, 160, 192, 256, 384, 512, 768, 1024,
])

/**
 * The smallest ε over the orders (Canonne, Kamath and Steinke 2020, Proposition 12):
 * ε = RDP(α) + ln(1 - 1/α) - (ln δ + ln α) / (α - 1), and 0 where the KL-type bound δ² > 1 - e^-RDP already holds
 * (Bretagnolle and Huber 1979). Orders of 1.01 and less are skipped: there the formula is ill-conditioned.
 * @returns ε and the order that gave it
 */
export function epsilonFromRdp(
  orders: readonly number[], rdp: readonly number[], delta: number,
): { epsilon: number, order: number } {
  let best = { epsilon: Infinity, order: orders[0] }
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]
    const divergence = rdp[i]
    if (order < 1 || divergence < 0) {
      throw new RangeError(`"orders" expected orders >= 1 with RDP >= 0, got order ${order} with RDP ${divergence}`)
    }
    let epsilon = Infinity
    if (delta * delta + expm1(-divergence) > 0) epsilon = 0
    else if (order > 1.01 && delta > 0) {
      epsilon = Math.max(0, divergence + log1p(-1 / order) - (log(delta) + log(order)) / (order - 1))
    }
    if (epsilon < best.epsilon) best = { epsilon, order }
  }
  return best
}

/**
 * The smallest δ over the orders: e^((α-1)(RDP - ε + ln(1 - 1/α))) / α (the same proposition), or sqrt(1 - e^-RDP).
 * @returns δ and the order that gave it
 */
export function deltaFromRdp(
  orders: readonly number[], rdp: readonly number[], epsilon: number,
): { delta: number, order: number } {
  let best = { delta: 1, order: orders[0] }
  for (let i = 0; i < orders.length; i++) {
    const order = orders[i]
    const divergence = rdp[i]
    let delta = Math.sqrt(-expm1(-divergence))
    if (order > 1.01) {
      const exponent = (order - 1) * (divergence - epsilon + log1p(-1 / order)) - log(order)
      delta = Math.min(delta, exp(Math.min(0, exponent)))
    }
    if (delta < best.delta) best = { delta, order }
  }
  return best
}
