//! Elementary functions, sums and stored formats of docs/numerics.md.

pub fn upper(a: f32, b: f32) -> f32 {
    if a < b {
        b
    } else {
        a
    }
}

pub fn lower(a: f32, b: f32) -> f32 {
    if b < a {
        b
    } else {
        a
    }
}

fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

/// 2^n for a whole n that gives a normal number.
fn power_of_two(n: f32) -> f32 {
    float(((n as i32).wrapping_add(127) as u32) << 23)
}

pub fn power_of_two_f64(n: i32) -> f64 {
    f64::from_bits(((n + 1023) as u64) << 52)
}

const LOG2E: u32 = 0x3fb8aa3b;
const LN2_HIGH: u32 = 0x3f318000;
const LN2_LOW: u32 = 0xb95e8083;

fn rest(x: f32, n: f32) -> f32 {
    let [p0, p1, p2, p3, p4] = [0x3effffff, 0x3e2aaa55, 0x3d2aabcf, 0x3c09163d, 0x3ab55879].map(float);
    let r = (x - n * float(LN2_HIGH)) - n * float(LN2_LOW);
    let z = r * r;
    let p = (((p4 * z) + ((p3 * r) + p2)) * z) + ((p1 * r) + p0);
    (z * p) + r
}

pub fn exp(x: f32) -> f32 {
    let x = upper(lower(x, 89.0), -104.0);
    let n = ((x * float(LOG2E)) + 12583166.0) - 12583166.0;
    let e = 1.0 + rest(x, n);
    let i = (n / 2.0).floor();
    (e * power_of_two(i)) * power_of_two(n - i)
}

fn expm1_below(x: f32) -> f32 {
    let n = ((x * float(LOG2E)) + 12583039.0) - 12583039.0;
    let q = rest(x, n);
    let power = power_of_two(n);
    (power * q) + (power - 1.0)
}

pub fn log(x: f32) -> f32 {
    if x == f32::INFINITY {
        return x;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    if x.is_nan() || x < 0.0 {
        return f32::NAN;
    }
    let small = x < f32::MIN_POSITIVE;
    let y = if small { x * 8388608.0 } else { x };
    let b = y.to_bits().wrapping_add(0x004afb0d);
    let k = float((b >> 23).wrapping_add(0x4b000000)) - if small { 8388758.0 } else { 8388735.0 };
    let f = float((b & 0x007fffff).wrapping_add(0x3f3504f3)) - 1.0;
    let [l0, l1, l2, l3] = [0x3f2aaaaa, 0x3eccce13, 0x3e91e9f1, 0x3e789d1c].map(float);
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * (((l3 * z + l2) * z + l1) * z + l0);
    let h = (0.5 * f) * f;
    let w = (k * float(LN2_LOW)) + (s * (h + r));
    (k * float(LN2_HIGH)) + ((w - h) + f)
}

pub fn tanh(x: f32) -> f32 {
    let t = expm1_below(lower(x.abs(), 10.0) * -2.0);
    let y = (-t) / (t + 2.0);
    float((y.to_bits() & 0x7fffffff) | (x.to_bits() & 0x80000000))
}

pub fn phi(x: f32) -> f32 {
    let q = [0x3df4ff38, 0x3df7613c, 0x3dcc09aa, 0x3e04cf4c, 0xbd66368e, 0x3e5686fc, 0xbe231501, 0x3d145d39].map(float);
    let g = exp((-0.5 * x) * x);
    let t = 1.0 / (1.0 + (float(0x3e99999a) * x.abs()));
    let z = t * t;
    let w = z * z;
    let low = (((q[3] * t) + q[2]) * z) + ((q[1] * t) + q[0]);
    let high = (((q[7] * t) + q[6]) * z) + ((q[5] * t) + q[4]);
    let tail = (((high * w) + low) * t) * g;
    if x < 0.0 {
        tail
    } else {
        1.0 - tail
    }
}

/// Four partial sums over a row of n terms.
pub fn sum4(n: usize, term: impl Fn(usize) -> f32) -> f32 {
    let mut s = [0f32; 4];
    for i in 0..n {
        s[i % 4] += term(i);
    }
    (s[0] + s[1]) + (s[2] + s[3])
}

pub fn sum_squares(x: &[f32]) -> f64 {
    let mut s = [0f64; 4];
    for (i, &v) in x.iter().enumerate() {
        s[i % 4] += f64::from(v) * f64::from(v);
    }
    (s[0] + s[1]) + (s[2] + s[3])
}

/// Bits shifted out to the right, rounded to the nearest, ties to even.
fn shift_rounded(value: u32, shift: u32) -> u32 {
    let (kept, dropped, half) = (value >> shift, value & ((1 << shift) - 1), 1 << (shift - 1));
    kept + u32::from(dropped > half || (dropped == half && kept & 1 == 1))
}

pub fn to_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let (sign, size) = ((bits >> 16) & 0x8000, bits & 0x7fffffff);
    let half = if size > 0x7f800000 {
        0x7e00 | ((size >> 13) & 0x3ff)
    } else if size >= 0x47800000 {
        0x7c00
    } else if size >= 0x38800000 {
        shift_rounded(size - 0x38000000, 13)
    } else if size >= 0x33000000 {
        shift_rounded((size & 0x7fffff) | 0x800000, 126 - (size >> 23))
    } else {
        0
    };
    (sign | half) as u16
}

pub fn from_f16(h: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(h & 0x8000) << 16, u32::from(h >> 10) & 31, u32::from(h) & 0x3ff);
    let size = match exponent {
        0 => (fraction as f32 * (1.0 / 16777216.0)).to_bits(),
        31 => 0x7f800000 | (fraction << 13),
        _ => ((exponent + 112) << 23) | (fraction << 13),
    };
    float(sign | size)
}

pub fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return ((bits >> 16) | 0x40) as u16;
    }
    shift_rounded(bits, 16) as u16
}

pub fn from_bf16(h: u16) -> f32 {
    float(u32::from(h) << 16)
}
