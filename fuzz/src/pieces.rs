//! Bytes as a network delivers them.

/// The most cuts of one wire.
const CUTS_MOST: u64 = 8;

/// Returns the seed in front of the wire, and the wire.
pub(crate) fn seed_and_wire(data: &[u8]) -> (u64, &[u8]) {
    match data.split_at_checked(2) {
        Some((seed, wire)) => (seed.iter().fold(1, |sum, byte| sum * 256 + u64::from(*byte)), wire),
        None => (1, data),
    }
}

/// Cuts the wire at places that follow from the seed.
pub(crate) fn pieces(wire: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut state = seed;
    let mut random = || {
        // Xorshift with 64 bits; the seed is not 0.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut cuts: Vec<usize> =
        (0..random() % CUTS_MOST).map(|_| random() as usize % (wire.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    let mut pieces = Vec::new();
    for cut in cuts.into_iter().chain([wire.len()]) {
        pieces.push(&wire[from..cut]);
        from = cut;
    }
    pieces
}
