//! How many events a stage lets in at its own entrance, by class.

use crate::admission::Limits;
use crate::event::{Class, MAX_CLASSES};

/// What the admission controller says for events whose request was not counted for the stage at the
/// graph's entry: here a class finds room or does not.
#[derive(Debug)]
pub(super) struct Entrance {
    /// So many may be held whoever asks: the usual case is one comparison.
    for_all: usize,
    limits: Box<Limits>,
}

impl Default for Entrance {
    fn default() -> Self {
        Self { for_all: usize::MAX, limits: Box::new(Limits::NONE) }
    }
}

impl Entrance {
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        let lowest = limits.most.iter().min().copied().unwrap_or(u64::MAX);
        self.for_all = usize::try_from(lowest).unwrap_or(usize::MAX);
        *self.limits = *limits;
    }

    pub(super) fn for_all(&self) -> usize {
        self.for_all
    }

    /// Whether so many may be `held` for the sake of `class`: within its limit, or if of them no
    /// more are its `own` than it is guaranteed.
    pub(super) fn admits(&self, class: Class, held: usize, own: usize) -> bool {
        let within = |most: &[u64; MAX_CLASSES], n: usize| {
            most.get(class.index()).is_none_or(|most| n as u64 <= *most)
        };
        within(&self.limits.most, held) || within(&self.limits.guaranteed, own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_room_up_to_its_limit_and_what_it_is_guaranteed_beyond() {
        let (gold, basic) = (Class::new(0), Class::new(1));
        let mut entrance = Entrance::default();
        assert!(entrance.admits(basic, usize::MAX, usize::MAX));
        let mut most = [u64::MAX; MAX_CLASSES];
        (most[0], most[1]) = (10, 8);
        entrance.set_limits(&Limits::shared(most, &[4, 1]));
        entrance.limits.guaranteed[..2].copy_from_slice(&[4, 2]);
        assert_eq!(entrance.for_all(), 8);
        assert!(entrance.admits(gold, 10, 9) && !entrance.admits(gold, 11, 5));
        assert!(entrance.admits(gold, 11, 4));
        assert!(entrance.admits(basic, 8, 8) && !entrance.admits(basic, 9, 3));
        assert!(entrance.admits(basic, 99, 2));
    }
}
