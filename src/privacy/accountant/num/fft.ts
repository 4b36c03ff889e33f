/**
 * Fast Fourier transform of real sequences whose length is a power of two. Twiddle factors come from own sine and
 * cosine polynomials, so that every engine gives the same bits; the relative error is about 1e-16 · log2(length).
 * @module
 */

const PI_LOW = 1.2246467991473532e-16

/** sin and cos of 2π k / n for 0 <= 8k <= n, by the polynomials of fdlibm on [0, π/4]. */
function octant(k: number, n: number): { sin: number, cos: number } {
  const fraction = (2 * k) / n
  const x = Math.PI * fraction
  const tail = PI_LOW * fraction
  const z = x * x
  const sinPoly = z * (-1.66666666666666324348e-1 + z * (8.33333333332248946124e-3 + z * (-1.98412698298579493134e-4 +
    z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))))
  const cosPoly = z * z * (4.16666666666666019037e-2 + z * (-1.38888888888741095749e-3 + z * (2.48015872894767294178e-5 +
    z * (-2.75573143513906633035e-7 + z * (2.08757232129817482790e-9 - z * 1.13596475577881948265e-11)))))
  return { sin: x + (x * sinPoly + tail), cos: 1 - (0.5 * z - (cosPoly - x * tail)) }
}

/** cos and sin of 2π k / n for k = 0 ... n/2 - 1, interleaved; n a power of two, at least 8. */
function twiddles(n: number): Float64Array {
  const table = new Float64Array(n)
  const set = (k: number, cos: number, sin: number): void => {
    table[2 * k] = cos
    table[2 * k + 1] = sin
  }
  for (let k = 0; k <= n / 8; k++) {
    const { sin, cos } = octant(k, n)
    set(k, cos, sin)
    set(n / 4 - k, sin, cos)
    set(n / 4 + k, -sin, cos)
    if (k > 0) set(n / 2 - k, -cos, sin)
  }
  return table
}

/** Tables of the lengths used last; a search asks for the same one over and over. */
const TABLES = /* @__PURE__ */ new Map<number, Float64Array>()

function tableOf(n: number): Float64Array {
  let table = TABLES.get(n)
  if (!table) {
    if (TABLES.size >= 4) TABLES.delete(TABLES.keys().next().value as number)
    table = twiddles(n)
    TABLES.set(n, table)
  }
  return table
}

/**
 * In-place complex transform of interleaved values, forward (e^-i): decimation in time on bit-reversed input.
 */
function transform(data: Float64Array, n: number): void {
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const re = data[2 * i]
      const im = data[2 * i + 1]
      data[2 * i] = data[2 * j]
      data[2 * i + 1] = data[2 * j + 1]
      data[2 * j] = re
      data[2 * j + 1] = im
    }
  }
  const table = tableOf(Math.max(n, 8))
  const full = Math.max(n, 8)
  // two stages at a time, so that the data goes through the cache half as often; the operations are those of one at a time
  let half = 1
  if (Math.clz32(n) % 2 === 0) {
    for (let a = 0; a < 2 * n; a += 4) {
      const re = data[a + 2]
      const im = data[a + 3]
      data[a + 2] = data[a] - re
      data[a + 3] = data[a + 1] - im
      data[a] += re
      data[a + 1] += im
    }
    half = 2
  }
  for (; half < n; half *= 4) {
    const stride = full / (2 * half)
    const gap = 2 * half
    for (let start = 0; start < 2 * n; start += 4 * gap) {
      for (let k = 0; k < half; k++) {
        const t = k * stride
        const c1 = table[2 * t]
        const s1 = table[2 * t + 1]
        const c2 = table[t]
        const s2 = table[t + 1]
        // a quarter turn further
        const c3 = table[t + full / 2]
        const s3 = table[t + full / 2 + 1]
        const a = start + 2 * k
        const b = a + gap
        const c = b + gap
        const d = c + gap
        const bRe = data[b] * c1 + data[b + 1] * s1
        const bIm = data[b + 1] * c1 - data[b] * s1
        const dRe = data[d] * c1 + data[d + 1] * s1
        const dIm = data[d + 1] * c1 - data[d] * s1
        const upRe = data[a] + bRe
        const upIm = data[a + 1] + bIm
        const downRe = data[a] - bRe
        const downIm = data[a + 1] - bIm
        const sumRe = data[c] + dRe
        const sumIm = data[c + 1] + dIm
        const lessRe = data[c] - dRe
        const lessIm = data[c + 1] - dIm
        const farRe = sumRe * c2 + sumIm * s2
        const farIm = sumIm * c2 - sumRe * s2
        const nearRe = lessRe * c3 + lessIm * s3
        const nearIm = lessIm * c3 - lessRe * s3
        data[a] = upRe + farRe
        data[a + 1] = upIm + farIm
        data[c] = upRe - farRe
        data[c + 1] = upIm - farIm
        data[b] = downRe + nearRe
        data[b + 1] = downIm + nearIm
        data[d] = downRe - nearRe
        data[d + 1] = downIm - nearIm
      }
    }
  }
}

/**
 * Spectrum of a real sequence of even power-of-two length n >= 4, as n/2 + 1 interleaved complex values. The
 * sequence is overwritten.
 */
export function realForward(data: Float64Array): Float64Array {
  const n = data.length
  const half = n / 2
  transform(data, half)
  const table = tableOf(Math.max(n, 8))
  const stride = Math.max(n, 8) / n
  const out = new Float64Array(n + 2)
  for (let k = 0; k <= half; k++) {
    const i = 2 * (k % half)
    const j = 2 * ((half - k) % half)
    const evenRe = 0.5 * (data[i] + data[j])
    const evenIm = 0.5 * (data[i + 1] - data[j + 1])
    const oddRe = 0.5 * (data[i + 1] + data[j + 1])
    const oddIm = 0.5 * (data[j] - data[i])
    const c = k === half ? -1 : table[2 * k * stride]
    const s = k === half ? 0 : table[2 * k * stride + 1]
    out[2 * k] = evenRe + (oddRe * c + oddIm * s)
    out[2 * k + 1] = evenIm + (oddIm * c - oddRe * s)
  }
  return out
}

/** The real sequence of a spectrum from `realForward`. */
export function realInverse(spectrum: Float64Array): Float64Array {
  const n = spectrum.length - 2
  const half = n / 2
  const table = tableOf(Math.max(n, 8))
  const stride = Math.max(n, 8) / n
  const data = new Float64Array(n)
  for (let k = 0; k < half; k++) {
    const i = 2 * k
    const j = 2 * (half - k)
    const evenRe = 0.5 * (spectrum[i] + spectrum[j])
    const evenIm = 0.5 * (spectrum[i + 1] - spectrum[j + 1])
    const differenceRe = 0.5 * (spectrum[i] - spectrum[j])
    const differenceIm = 0.5 * (spectrum[i + 1] + spectrum[j + 1])
    const c = table[2 * k * stride]
    const s = table[2 * k * stride + 1]
    const oddRe = differenceRe * c - differenceIm * s
    const oddIm = differenceIm * c + differenceRe * s
    // Stored conjugated, so that the forward transform serves as the inverse one.
    data[i] = evenRe - oddIm
    data[i + 1] = -(evenIm + oddRe)
  }
  transform(data, half)
  const factor = 1 / half
  for (let i = 0; i < n; i += 2) {
    data[i] *= factor
    data[i + 1] *= -factor
  }
  return data
}

/** Multiplies `into` by the count-th power of `spectrum`, value by value; both interleaved complex. */
export function multiplyByPower(into: Float64Array, spectrum: Float64Array, count: number): void {
  for (let i = 0; i < into.length; i += 2) {
    let re = spectrum[i]
    let im = spectrum[i + 1]
    let productRe = into[i]
    let productIm = into[i + 1]
    for (let left = count; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) {
        const next = productRe * re - productIm * im
        productIm = productRe * im + productIm * re
        productRe = next
      }
      if (left > 1) {
        const next = re * re - im * im
        im = 2 * re * im
        re = next
      }
    }
    into[i] = productRe
    into[i + 1] = productIm
  }
}
