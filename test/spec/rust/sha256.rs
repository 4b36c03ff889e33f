//! SHA-256 (FIPS 180-4), whose constants are the first bits of roots of the first primes.

fn primes(count: usize) -> Vec<u64> {
    (2u64..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).take(count).collect()
}

/// 32 bits of the fraction of the root of n, by whole numbers.
fn fraction_of_root(n: u64, power: u32) -> u32 {
    let target = u128::from(n) << (32 * power);
    let mut root = 0u128;
    for bit in (0..40).rev() {
        let next = root | (1 << bit);
        if next.pow(power) <= target {
            root = next;
        }
    }
    root as u32
}

pub fn sha256(data: &[u8]) -> [u8; 32] {
    let primes = primes(64);
    let k: Vec<u32> = primes.iter().map(|&n| fraction_of_root(n, 3)).collect();
    let mut state: Vec<u32> = primes[..8].iter().map(|&n| fraction_of_root(n, 2)).collect();
    let mut padded = data.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).div_ceil(64) * 64 - 8, 0);
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut w: Vec<u32> = block.chunks(4).map(|b| u32::from_be_bytes(b.try_into().expect("four bytes"))).collect();
        for i in 16..64 {
            let (a, b) = (w[i - 15], w[i - 2]);
            let s0 = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let s1 = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            w.push(w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1));
        }
        let mut v = state.clone();
        for i in 0..64 {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = (v[4] & v[5]) ^ (!v[4] & v[6]);
            let t1 = v[7].wrapping_add(s1).wrapping_add(choice).wrapping_add(k[i]).wrapping_add(w[i]);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(t1);
            v[0] = t1.wrapping_add(s0.wrapping_add(majority));
        }
        state.iter_mut().zip(v).for_each(|(s, v)| *s = s.wrapping_add(v));
    }
    let bytes: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.try_into().expect("32 bytes")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn from_hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).expect("hexadecimal digits"))
        .collect()
}

/// hashArray of f32.
pub fn hash_floats(values: &[f32]) -> String {
    hex(&sha256(&values.iter().flat_map(|v| v.to_bits().to_le_bytes()).collect::<Vec<_>>()))
}

/// hashArray of i32.
pub fn hash_integers(values: &[i32]) -> String {
    hex(&sha256(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>()))
}
