//! Pseudo-random numbers that are the same on every machine: xoshiro256++ (Blackman and Vigna, 2019), seeded by
//! splitmix64. Integers only, so that no platform's floating point can change a history.

/// A generator of numbers. Not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// The sequence of one seed.
    pub(super) fn new(seed: u64) -> Random {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Random { state: [next(), next(), next(), next()] }
    }

    /// 64 bits.
    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `bound` (0 where it is 0). The bias is `bound` in 2^64.
    #[inline]
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The high half of a 128-bit product always fits.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A place in a slice of this length.
    #[inline]
    pub(super) fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True once in `n` times.
    #[inline]
    pub(super) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// True with this probability.
    #[inline]
    pub(super) fn chance(&mut self, chance: Chance) -> bool {
        self.next() >> 32 < chance.0
    }
}

/// A probability, in units of 2^-32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// A share between 0 and 1; what lies outside is brought to the nearest.
    pub(super) fn of(share: f64) -> Chance {
        // A float becomes an integer by saturation, and NaN becomes 0.
        Chance(((share * 4_294_967_296.0) as u64).min(1 << 32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the generator is the published one (the first outputs of xoshiro256++ from the state 1, 2, 3, 4).
    #[test]
    fn the_sequence_is_the_published_one() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..4).map(|_| random.next()).collect();
        assert_eq!(first, [41943041, 58720359, 3588806011781223, 3591011842654386]);
        assert_eq!(Random::new(0).state[0], 0xe220_a839_7b1d_cdaf, "splitmix64's first output for the seed 0");
    }

    /// Goal: a share is met, and its ends are exact.
    #[test]
    fn chances_are_met() {
        let mut random = Random::new(7);
        let mut count = |share| (0..10_000).filter(|_| random.chance(Chance::of(share))).count();
        assert_eq!((count(0.0), count(1.0), count(f64::NAN)), (0, 10_000, 0));
        assert!((2_300..2_700).contains(&count(0.25)));
    }
}
