//! The report of a run as text.

use super::outcome::Outcome;
use super::units::{counted, percent, rate, seconds, seconds_or_dash, whole_percent};
use super::verdict::{Verdict, verdict};
use super::{
    GeneratorReport, InFlight, Interval, Intervals, LoadReport, PathReport, Ranks, WindowReport,
};
use crate::watch::ServerReport;
use seda_core::stats::QuantileSummary;
use std::fmt;

/// Paths in the text; the JSON has all.
const SHOWN_PATHS: usize = 12;

impl fmt::Display for LoadReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why_not) = &self.generator.why_not {
            writeln!(out, "THE SCHEDULE WAS NOT KEPT, this is not the load asked for: {why_not}")?;
        }
        writeln!(out, "{}: {}, seed {}", self.url, self.arrivals, self.seed)?;
        if self.interrupted {
            let unfinished = self.unfinished;
            let why =
                self.generator.gave_up.as_ref().map_or(String::new(), |why| format!(": {why}"));
            writeln!(
                out,
                "ended before its time{why}; {unfinished} requests under way do not count"
            )?;
        }
        self.outcomes_table(out)?;
        self.rates(out)?;
        self.latencies(out)?;
        if let Some(precision) = self.precision() {
            writeln!(out, "precision   {precision}")?;
        }
        self.windows_table(out)?;
        self.paths_table(out)?;
        self.fairness_line(out)?;
        self.in_flight_line(out)?;
        if self.attempts > self.outcomes.scheduled {
            let retries = self.attempts - self.outcomes.scheduled;
            let amplification = self.amplification;
            writeln!(out, "retries     {retries}: {amplification:.2} attempts a request")?;
        }
        for (why, count) in &self.failures {
            writeln!(out, "no answer   {count} x {why}")?;
        }
        if let Some(skipped) = self.trace.as_ref().filter(|skipped| !skipped.is_empty()) {
            writeln!(out, "trace       {skipped}")?;
        }
        self.server_line(out)?;
        write!(out, "{}", self.generator)
    }
}

impl LoadReport {
    /// Returns one line: the offered rate, the goodput, the p99, and the share of refusals.
    pub fn summary(&self) -> String {
        format!(
            "{} offered, {} good, p99 {}, {} refused",
            rate(self.offered_per_second),
            rate(self.goodput_per_second),
            known_quantile(&self.response_seconds, 0.99, self.response_seconds.p99),
            percent(self.outcomes.refused, self.outcomes.scheduled)
        )
    }

    /// Describes how well the figure of `--until` is known, and what ended the run.
    pub(crate) fn precision(&self) -> Option<String> {
        let until = self.intervals.until.as_ref()?;
        let precision = self.intervals.precision(until.until.figure);
        Some(until.describe(precision, self.duration_seconds, self.interrupted))
    }

    /// Returns what limits the server.
    pub(crate) fn limit(&self, server: &ServerReport) -> Verdict {
        verdict(
            Some(server),
            self.offered_per_second,
            self.throughput_per_second,
            self.generator.kept_schedule,
            self.generator.cpu_share,
        )
    }

    fn outcomes_table(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheduled = self.outcomes.scheduled;
        writeln!(
            out,
            "scheduled   {scheduled:>10}          {:>10}",
            rate(self.offered_per_second)
        )?;
        for outcome in Outcome::ALL {
            let count = self.outcomes.of(outcome);
            let share = percent(count, scheduled);
            let per_second = rate(self.per_second(count));
            let meaning = self.meaning(outcome);
            let name = outcome.name();
            writeln!(out, "{name:<14}{count:>8} {share:>8} {per_second:>10}  {meaning}")?;
        }
        Ok(())
    }

    /// Returns a count over the measured window; NaN if the arrivals have no rate.
    fn per_second(&self, count: u64) -> f64 {
        let is_instant = self.offered_per_second.is_nan();
        let seconds = self.duration_seconds.max(f64::MIN_POSITIVE);
        if is_instant { f64::NAN } else { count as f64 / seconds }
    }

    fn meaning(&self, outcome: Outcome) -> String {
        let slo = self.slo_seconds.first().map(|slo| seconds(*slo));
        let deadline = seconds(self.deadline_seconds);
        match (outcome, slo) {
            (Outcome::Good, Some(slo)) => format!("right, within {slo}"),
            (Outcome::Good, None) => "right".to_owned(),
            (Outcome::Late, Some(slo)) => format!("right, after {slo}"),
            (Outcome::Late, None) => "right, after the SLO (none was set)".to_owned(),
            (Outcome::Refused, _) => "429 or 503".to_owned(),
            (Outcome::Wrong, _) if self.outcomes.wrong == 0 => "another status".to_owned(),
            (Outcome::Wrong, _) => format!("another status: {}", self.unusual_statuses()),
            (Outcome::TimedOut, _) => format!("given up after {deadline}"),
            (Outcome::ConnectError, _) => "no connection".to_owned(),
            (Outcome::Broken, _) => "cut off, or not HTTP".to_owned(),
        }
    }

    /// Lists the statuses that are neither success nor refusal, with their counts.
    fn unusual_statuses(&self) -> String {
        let listed: Vec<String> = self
            .statuses
            .iter()
            .filter(|(status, _)| !(200..400).contains(*status) && ![429, 503].contains(*status))
            .map(|(status, count)| format!("{count} x {status}"))
            .collect();
        if listed.is_empty() { "not one of --expect".to_owned() } else { listed.join(", ") }
    }

    fn rates(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Intervals { throughput_per_second, goodput_per_second, .. } = &self.intervals;
        write!(out, "throughput  {}", rate(self.throughput_per_second))?;
        write!(out, "{}   goodput", self.range(throughput_per_second.as_ref()))?;
        if self.goodput_by_slo.is_empty() {
            let good = rate(self.goodput_per_second);
            write!(out, " {good}{}", self.range(goodput_per_second.as_ref()))?;
        }
        for (index, slo) in self.goodput_by_slo.iter().enumerate() {
            // The interval is that of the first SLO, which separates good from late.
            let (comma, interval) = if index == 0 {
                ("", self.range(goodput_per_second.as_ref()))
            } else {
                (",", String::new())
            };
            let good = rate(slo.goodput_per_second);
            write!(out, "{comma} {good}{interval} within {}", seconds(slo.slo_seconds))?;
        }
        if self.duration_seconds > 0.0 && self.offered_per_second.is_nan() {
            write!(out, "   (all arrivals are at one instant: there is no rate)")?;
        }
        writeln!(out)
    }

    /// Returns the 95 % interval of a rate in brackets. A profile of several parts has none.
    fn range(&self, interval: Option<&Interval>) -> String {
        match interval {
            Some(Interval { low, high }) => {
                format!(" (95 %: {} to {})", rate(*low), rate(*high))
            }
            None if self.windows.iter().filter(|window| window.measured).count() == 1 => {
                " (95 %: too few samples)".to_owned()
            }
            None => String::new(),
        }
    }

    fn in_flight_line(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InFlight { mean, max, sojourn_mean } = self.in_flight;
        if self.offered_per_second.is_nan() {
            return writeln!(out, "in flight   most {max}");
        }
        let product = self.offered_per_second * sojourn_mean.unwrap_or_default();
        writeln!(
            out,
            "in flight   mean {mean:.1}, most {max} (Little: rate x response {product:.1})"
        )
    }

    fn latencies(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<22}{}", "", quantile_names())?;
        quantiles_row("response, as intended", &self.response_seconds, out)?;
        self.interval_rows(out)?;
        quantiles_row("response, as sent", &self.raw_seconds, out)?;
        quantiles_row("refusal, as intended", &self.refusal_seconds, out)
    }

    /// Writes the ends of the 95 % intervals of the response times.
    fn interval_rows(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let intervals = &self.intervals.response_seconds;
        if intervals.quantiles().iter().all(Option::is_none) {
            return Ok(());
        }
        self.interval_row(out, "  95 % interval from", |interval| interval.low)?;
        self.interval_row(out, "                 to", |interval| interval.high)
    }

    /// Writes one end of each interval. The maximum has none: a longer run has a longer one.
    fn interval_row(
        &self,
        out: &mut fmt::Formatter<'_>,
        name: &str,
        end: fn(&Interval) -> f64,
    ) -> fmt::Result {
        let intervals = &self.intervals.response_seconds;
        let text = |interval: Option<&Interval>| {
            interval.map_or("too few".to_owned(), |interval| seconds(end(interval)))
        };
        write!(out, "{name:<22}")?;
        for interval in intervals.quantiles() {
            write!(out, "{:>10}", text(interval.as_ref()))?;
        }
        writeln!(out, "{:>10}{:>10}", "", text(intervals.mean.as_ref()))
    }

    fn windows_table(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.windows.len() > 1 {
            self.windows.iter().try_for_each(|window| writeln!(out, "{window}"))?;
        }
        Ok(())
    }

    fn paths_table(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.paths.len() > 1 {
            self.paths.iter().take(SHOWN_PATHS).try_for_each(|path| writeln!(out, "{path}"))?;
            let more = self.paths.len().saturating_sub(SHOWN_PATHS);
            if more > 0 {
                writeln!(out, "({more} more paths: see --json)")?;
            }
        }
        Ok(())
    }

    /// Writes the resources of the server's process, and its limit.
    fn server_line(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = &self.server else {
            return Ok(());
        };
        let verdict = self.limit(server);
        writeln!(
            out,
            "server      {} (pid {}): {} of {}, {} threads, {:.0} MiB; {} full listen queues\n            \
             {}",
            server.name,
            server.pid,
            whole_percent(server.utilization),
            counted(server.cores, "core"),
            server.threads_max,
            server.memory.rss_max_bytes as f64 / f64::from(1 << 20),
            server.listen_overflows,
            verdict.message
        )
    }

    fn fairness_line(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(fairness) = &self.fairness else {
            return Ok(());
        };
        let (clients, fewest, most) = (fairness.clients, fairness.fewest, fairness.most);
        let jain = fairness.jain.map_or("none".to_owned(), |jain| format!("{jain:.3}"));
        let enough = if fairness.enough { "" } else { ": too few for the index to mean anything" };
        writeln!(
            out,
            "fairness    Jain {jain} over {clients} clients; {fewest} to {most} good each{enough}"
        )
    }
}

impl fmt::Display for WindowReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.measured { "" } else { " (not counted)" };
        write!(
            out,
            "  {:>6.1} s {:<26} offered {:>9}  good {:>9}  refused {:>7}  p99 {}",
            self.from_seconds,
            format!("{}{kind}", self.name),
            rate(self.offered_per_second),
            rate(self.goodput_per_second),
            percent(self.outcomes.refused, self.outcomes.scheduled),
            known_quantile(&self.response_seconds, 0.99, self.response_seconds.p99)
        )
    }
}

impl fmt::Display for PathReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "  {:<34} {:>9}  good {:>7}  refused {:>7}  p50 {:>9}  p99 {:>9}",
            self.path,
            self.outcomes.scheduled,
            percent(self.outcomes.good, self.outcomes.scheduled),
            percent(self.outcomes.refused, self.outcomes.scheduled),
            known_quantile(&self.response_seconds, 0.50, self.response_seconds.p50),
            known_quantile(&self.response_seconds, 0.99, self.response_seconds.p99)
        )
    }
}

impl fmt::Display for GeneratorReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "generator   began p50 {}, p99 {}, max {} late; {} of a core on {}; {} opened, \
             {} at once",
            seconds_or_dash(self.lag_seconds.p50),
            seconds_or_dash(self.lag_seconds.p99),
            seconds_or_dash(self.lag_seconds.max),
            whole_percent(self.cpu_share),
            counted(self.threads, "thread"),
            counted(self.connections_opened, "connection"),
            self.connections_max
        )?;
        if self.waited_for_connection > 0 {
            let waited = self.waited_for_connection;
            let allowed = self.connections_allowed;
            write!(out, "; {waited} requests waited for one ({allowed} are allowed)")?;
        }
        if self.resent > 0 {
            write!(out, "; {} sent anew, their kept connection was closed", self.resent)?;
        }
        Ok(())
    }
}

fn quantile_names() -> String {
    let names = QuantileSummary::default().quantiles().map(|(name, ..)| format!("{name:>10}"));
    format!("{}{:>10}{:>10}", names.concat(), "max", "mean")
}

/// Writes a row of the table of distributions, unless it has no samples.
fn quantiles_row(name: &str, of: &QuantileSummary, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if of.count == 0 {
        return Ok(());
    }
    write!(out, "{name:<22}")?;
    for (_, q, value) in of.quantiles() {
        write!(out, "{:>10}", known_quantile(of, q, value))?;
    }
    writeln!(out, "{:>10}{:>10}", seconds_or_dash(of.max), seconds_or_dash(of.mean))
}

/// Returns a quantile, or "too few" if there are too few samples to bound it.
pub(crate) fn known_quantile(of: &QuantileSummary, q: f64, value: Option<f64>) -> String {
    match value {
        Some(_) if Ranks::of(of.count, q).is_none() => "too few".to_owned(),
        value => seconds_or_dash(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(count: u64) -> QuantileSummary {
        let mut times = seda_core::stats::Quantiles::default();
        (0..count).for_each(|n| times.record((n + 1) * 1_000_000, 1));
        times.summary()
    }

    #[test]
    fn a_quantile_without_enough_samples_is_no_number() {
        let few = LoadReport { response_seconds: summary(100), ..LoadReport::default() };
        let text = few.to_string();
        assert_eq!(text.matches("too few").count(), 2, "{text}");
        let many = LoadReport { response_seconds: summary(4_000), ..LoadReport::default() };
        assert!(!many.to_string().contains("too few"));
    }

    #[test]
    fn intervals_stand_beside_their_figures() {
        let mut report = LoadReport { response_seconds: summary(100), ..LoadReport::default() };
        report.intervals.goodput_per_second = Some(Interval { low: 880.0, high: 910.0 });
        report.intervals.response_seconds.p50 = Some(Interval { low: 0.04, high: 0.06 });
        let text = report.to_string();
        assert!(text.contains("(95 %: 880/s to 910/s)"), "{text}");
        assert!(text.contains("95 % interval from") && text.contains("40.0 ms"), "{text}");
        assert_eq!(text.matches("too few").count(), 12, "{text}");
    }

    #[test]
    fn one_instant_has_no_rate() {
        let report = LoadReport {
            duration_seconds: 1e-9,
            offered_per_second: f64::NAN,
            throughput_per_second: f64::NAN,
            ..LoadReport::default()
        };
        let text = report.to_string();
        assert!(text.contains("there is no rate") && !text.contains("Little"), "{text}");
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains("\"offered_per_second\":null"), "{json}");
        let read: LoadReport = serde_json::from_str(&json).unwrap();
        assert!(read.offered_per_second.is_nan());
    }
}
