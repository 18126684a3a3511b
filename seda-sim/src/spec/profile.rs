//! Rates over time: a profile, and the floods that multiply it.

use super::check::SpecError;
use super::fault::Fault;
use crate::time::nanos;

/// A stretch of time with one rate; `until` in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// When it ends.
    pub until: u64,
    /// Arrivals per second.
    pub rate: f64,
}

/// Parses a profile such as `900/s:5s,1400/s:10s` into stretches whose ends are counted from 0.
///
/// # Errors
/// A part is not RATE/s:LENGTH. The bounds of rates and lengths are not checked.
pub fn parse_profile(text: &str) -> Result<Vec<Stretch>, SpecError> {
    let bad = |part: &str| {
        SpecError::value("arrivals.profile", part, "RATE/s:LENGTH, several separated by commas")
    };
    let mut until = 0_u64;
    let mut stretches = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (rate, length) = part.split_once("/s:").ok_or_else(|| bad(part))?;
        let rate: f64 = rate.trim().parse().map_err(|_| bad(part))?;
        let length = humantime::parse_duration(length.trim()).map_err(|_| bad(part))?;
        until = until.saturating_add(nanos(length));
        stretches.push(Stretch { until, rate });
    }
    Ok(stretches)
}

/// The rates of one class: its part of `rates`, times the floods of it.
pub fn stretches(rates: &[Stretch], part: f64, class: &str, faults: &[Fault]) -> Vec<Stretch> {
    let floods: Vec<(u64, u64, f64)> = faults
        .iter()
        .filter_map(|fault| match fault {
            Fault::Flood { class: flooded, factor, from, to } if flooded == class => {
                Some((nanos(*from), nanos(*to), *factor))
            }
            _ => None,
        })
        .collect();
    let mut ends: Vec<u64> = rates.iter().map(|stretch| stretch.until).collect();
    ends.extend(floods.iter().flat_map(|(from, to, _)| [*from, *to]));
    if let Some(last) = rates.last().copied() {
        ends.push(u64::MAX);
        ends.sort_unstable();
        ends.dedup();
        let mut from = 0;
        let stretch = |until: u64| {
            let at = rates.iter().find(|stretch| from < stretch.until).unwrap_or(&last);
            let on = floods.iter().filter(|flood| flood.0 <= from && from < flood.1);
            let factor: f64 = on.map(|flood| flood.2).product();
            from = until;
            Stretch { until, rate: at.rate * part * factor }
        };
        return ends.into_iter().filter(|end| *end > 0).map(stretch).collect();
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_multiplies_the_rate_of_its_class_for_its_time() {
        let rates = parse_profile("100/s:2s, 50/s:8s").unwrap();
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
        let flood = Fault::Flood { class: "basic".to_owned(), factor: 10.0, from, to };
        let basic: Vec<f64> = stretches(&rates, 0.5, "basic", std::slice::from_ref(&flood))
            .iter()
            .map(|s| s.rate)
            .collect();
        assert_eq!(basic, [50.0, 500.0, 250.0, 25.0, 25.0]);
        let gold: Vec<f64> =
            stretches(&rates, 0.5, "gold", &[flood]).iter().map(|s| s.rate).collect();
        assert_eq!(gold, [50.0, 25.0, 25.0]);
    }
}
