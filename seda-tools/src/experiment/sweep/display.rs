//! The report of a sweep as text.

use super::intervals::PointIntervals;
use super::report::{Point, SweepReport};
use super::response_spreads::ResponseSpreads;
use super::spread::Spread;
use crate::report::units::{counted, rate, seconds, seconds_or_dash, share};
use std::fmt;

/// A capacity within this share of the probed one is the same: rounds vary as much.
const SAME: f64 = 0.1;

impl fmt::Display for SweepReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.name == self.url { String::new() } else { format!(" ({})", self.url) };
        let rounds = counted(self.rounds.len() as u64, "round");
        writeln!(out, "{}{at}, {rounds}", self.name)?;
        if self.interrupted {
            writeln!(out, "ended before its time: only these loads were run to their end")?;
        }
        let slo = self.slo_seconds.first().copied().unwrap_or_default();
        let capacity = self.capacity_per_second.describe(rate);
        let slo = seconds(slo);
        writeln!(out, "capacity C {capacity}: the best goodput at any load, within {slo}")?;
        self.base(out)?;
        if let Some(most) = &self.lambda_max {
            writeln!(out, "lambda max {}: {}", most.per_second.describe(rate), most.definition)?;
        } else {
            writeln!(out, "lambda max: none of the loads kept the SLO")?;
        }
        let columns = ResponseSpreads::default().columns();
        let columns = columns.map(|(name, _)| format!("{name:>10}")).concat();
        writeln!(
            out,
            "  load   offered     answers        good  good/C (range){columns} refused    late \
             timeout  settled"
        )?;
        self.points.iter().try_for_each(|point| writeln!(out, "{point}"))?;
        if self.slo_seconds.len() > 1 {
            self.by_slo(out)?;
        }
        self.intervals(out)?;
        self.points
            .iter()
            .filter_map(|point| Some((point.multiple, point.verdict.as_ref()?)))
            .try_for_each(|(multiple, verdict)| writeln!(out, "{multiple:>5}x {verdict}"))
    }
}

impl SweepReport {
    /// Tells what 1x is, if the capacity is another.
    fn base(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let probed = self.rounds.iter().map(|round| round.probed_per_second);
        let probed = Spread::of(probed).map_or(0.0, |probed| probed.median);
        let capacity = self.capacity_per_second.median;
        if probed > 0.0 && (capacity / probed - 1.0).abs() > SAME {
            let (one, times) = (rate(probed), capacity / probed);
            writeln!(
                out,
                "1x is {one}, the capacity before the loads: C is {times:.2} times that"
            )?;
        }
        Ok(())
    }

    /// Writes the 95 % interval of each point; a simulation has none within one round.
    fn intervals(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_points = self.points.iter().map(|point| {
            let intervals = PointIntervals::of(self, point.multiple);
            (point.multiple, intervals)
        });
        let of_points: Vec<_> = of_points.filter(|(_, intervals)| !intervals.is_empty()).collect();
        if !of_points.is_empty() {
            writeln!(out, "95 % intervals:")?;
        }
        of_points
            .iter()
            .try_for_each(|(multiple, intervals)| writeln!(out, "{multiple:>5}x {intervals}"))
    }

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
        let ratio = self.goodput_ratio;
        let columns = self.response.columns();
        let columns = columns.map(|(_, spread)| format!(" {:>9}", median_time(spread))).concat();
        write!(
            out,
            "{:>5}x {:>9} {:>11} {:>11}  {:.2} ({:.2}-{:.2}){columns} {:>7} {:>7} {:>7} {:>8}{}",
            self.multiple,
            rate(self.offered_per_second.median),
            rate(self.throughput_per_second.median),
            rate(self.goodput_per_second.median),
            ratio.median,
            ratio.low,
            ratio.high,
            share(refused),
            share(late),
            share(timed_out),
            format!("{:.1} s", self.settled_after.median),
            if self.kept_schedule { "" } else { "  SCHEDULE NOT KEPT" }
        )
    }
}

fn median_time(spread: Option<Spread>) -> String {
    seconds_or_dash(spread.map(|spread| spread.median))
}
