//! The p99 of answers beside that of the hand-tuned rivals.
//!
//! A rival with a very short queue has a low p99 and refuses what it could serve. So only those
//! count that serve nearly all that can be served in the same round.

/// The figures of a rival in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RivalFigures {
    /// Good answers per second.
    pub(crate) goodput: f64,
    /// The p99 of its answers in seconds; `None` without any.
    pub(crate) p99: Option<f64>,
}

/// Returns the lowest p99 among the rivals that keep this share of the bound; `None` if none does.
pub(crate) fn lowest_p99(
    rivals: impl Iterator<Item = RivalFigures>,
    bound: f64,
    share: f64,
) -> Option<f64> {
    let keeping = rivals.filter(|rival| rival.goodput >= share * bound);
    keeping.filter_map(|rival| rival.p99).reduce(f64::min)
}

/// Returns a p99 as a multiple of the rivals' lowest one; infinite for a server without an answer,
/// `None` if there is nothing to compare with.
pub(crate) fn p99_ratio(p99: Option<f64>, lowest: Option<f64>) -> Option<f64> {
    lowest.map(|lowest| p99.map_or(f64::INFINITY, |p99| p99 / lowest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rival(goodput: f64, p99: f64) -> RivalFigures {
        RivalFigures { goodput, p99: Some(p99) }
    }

    #[test]
    fn a_rival_that_refuses_too_much_does_not_set_the_p99_to_reach() {
        let rivals = [rival(960.0, 0.002), rival(975.0, 0.03), rival(1_000.0, 0.09)];
        assert_eq!(lowest_p99(rivals.into_iter(), 1_000.0, 0.97), Some(0.03));
        assert_eq!(lowest_p99(rivals.into_iter(), 2_000.0, 0.97), None);
        let silent = RivalFigures { goodput: 0.0, p99: None };
        assert_eq!(lowest_p99([silent].into_iter(), 0.0, 0.97), None);
    }

    #[test]
    fn a_server_without_an_answer_is_infinitely_slow_beside_a_rival() {
        assert_eq!(p99_ratio(Some(0.03), Some(0.02)), Some(1.5));
        assert_eq!(p99_ratio(None, Some(0.02)), Some(f64::INFINITY));
        assert_eq!((p99_ratio(Some(0.03), None), p99_ratio(None, None)), (None, None));
    }
}
