//! The rates of a class under floods.

use super::fault::{Fault, Flood};
use super::profile::Stretch;

/// Returns the rates of one class: its `share` (of 1) of `rates`, multiplied by its floods. The
/// last stretch ends at `u64::MAX`, because the last rate goes on for ever.
///
/// ```
/// use seda_sim::spec::{parse_profile, stretches};
///
/// let rates = parse_profile("900/s:5s,1400/s:10s")?;
/// let gold = stretches(&rates, 0.5, "gold", &[]);
/// assert_eq!((gold[0].rate, gold[1].rate), (450.0, 700.0));
/// # Ok::<(), seda_sim::spec::ProfileError>(())
/// ```
pub fn stretches(rates: &[Stretch], share: f64, class: &str, faults: &[Fault]) -> Vec<Stretch> {
    let Some(last) = rates.last() else {
        return Vec::new();
    };
    let floods: Vec<Flood> = faults.iter().filter_map(|fault| fault.flood(class)).collect();
    // A stretch ends where the rate changes, or where a flood begins or ends.
    let mut ends: Vec<u64> = rates.iter().map(|stretch| stretch.until).collect();
    ends.extend(floods.iter().flat_map(|flood| [flood.from, flood.to]));
    ends.push(u64::MAX);
    ends.sort_unstable();
    ends.dedup();
    let mut stretches = Vec::with_capacity(ends.len());
    let mut from = 0;
    for until in ends.into_iter().filter(|end| *end > 0) {
        let current = rates.iter().find(|stretch| from < stretch.until).unwrap_or(last);
        let active = floods.iter().filter(|flood| flood.from <= from && from < flood.to);
        let factor: f64 = active.map(|flood| flood.factor).product();
        stretches.push(Stretch { until, rate: current.rate * share * factor });
        from = until;
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::super::profile::parse_profile;
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_multiplies_the_rate_of_its_own_class_while_it_lasts() {
        let rates = parse_profile("100/s:2s, 50/s:8s").unwrap();
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
        let flood = Fault::Flood { class: "basic".to_owned(), factor: 10.0, from, to };
        let faults = std::slice::from_ref(&flood);
        let basic = stretches(&rates, 0.5, "basic", faults);
        let basic: Vec<f64> = basic.iter().map(|stretch| stretch.rate).collect();
        assert_eq!(basic, [50.0, 500.0, 250.0, 25.0, 25.0]);
        let gold = stretches(&rates, 0.5, "gold", faults);
        let gold: Vec<f64> = gold.iter().map(|stretch| stretch.rate).collect();
        assert_eq!(gold, [50.0, 25.0, 25.0]);
    }
}
