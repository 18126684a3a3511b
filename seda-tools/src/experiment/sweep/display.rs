//! The sweep for people.

use super::report::{Point, Spread, SweepReport};
use crate::report::units::{rate, seconds};
use std::fmt;

impl fmt::Display for SweepReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.capacity_per_second;
        let rounds = self.rounds.len();
        let plural = if rounds == 1 { "" } else { "s" };
        let at = if self.name == self.url { String::new() } else { format!(" ({})", self.url) };
        writeln!(out, "{}{at}, {rounds} round{plural}", self.name)?;
        let slo = self.slo_seconds.first().copied().unwrap_or_default();
        writeln!(
            out,
            "capacity C {} ({} to {}): the best goodput at any load, within {}",
            rate(capacity.median),
            rate(capacity.low),
            rate(capacity.high),
            seconds(slo)
        )?;
        if let Some(most) = &self.lambda_max {
            let per_second = most.per_second;
            let range = format!("{} to {}", rate(per_second.low), rate(per_second.high));
            writeln!(out, "lambda max {} ({range}): {}", rate(per_second.median), most.definition)?;
        } else {
            writeln!(out, "lambda max: none of the loads kept the SLO")?;
        }
        writeln!(out, "{HEADING}")?;
        self.points.iter().try_for_each(|point| writeln!(out, "{point}"))?;
        if self.slo_seconds.len() > 1 {
            self.by_slo(out)?;
        }
        self.points
            .iter()
            .filter_map(|point| Some((point.multiple, point.verdict.as_ref()?)))
            .try_for_each(|(multiple, verdict)| writeln!(out, "{multiple:>5}x {verdict}"))
    }
}

const HEADING: &str = "  load   offered     answers        good  good/C (range)       p50       p99 \
                       refused    late timeout  settled";

impl SweepReport {
    fn by_slo(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.slo_seconds.iter().map(|slo| seconds(*slo)).collect();
        writeln!(out, "goodput within {}:", names.join(", "))?;
        for point in &self.points {
            let rates: Vec<_> = point.goodput_by_slo.iter().map(|good| rate(good.median)).collect();
            writeln!(out, "{:>5}x {}", point.multiple, rates.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, late, refused, .., timed_out, _, _] = self.shares;
        let time = |spread: Option<Spread>| spread.map_or("-".to_owned(), |s| seconds(s.median));
        let share = |share: f64| format!("{:.1} %", share * 100.0);
        let ratio = self.goodput_ratio;
        write!(
            out,
            "{:>5}x {:>9} {:>11} {:>11}  {:.2} ({:.2}-{:.2}) {:>9} {:>9} {:>7} {:>7} {:>7} {:>8}{}",
            self.multiple,
            rate(self.offered_per_second.median),
            rate(self.throughput_per_second.median),
            rate(self.goodput_per_second.median),
            ratio.median,
            ratio.low,
            ratio.high,
            time(self.p50),
            time(self.p99),
            share(refused),
            share(late),
            share(timed_out),
            format!("{:.1} s", self.settled_after.median),
            if self.kept_schedule { "" } else { "  SCHEDULE NOT KEPT" }
        )
    }
}
