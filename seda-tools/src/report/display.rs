//! The report of a run as text.

use super::outcome::Outcome;
use super::units::{counted, percent, rate, seconds, seconds_or_dash, whole_percent};
use super::verdict::verdict;
use super::{GeneratorReport, LoadReport, PathReport, WindowReport};
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
            writeln!(out, "ended before its time; {unfinished} requests under way do not count")?;
        }
        self.outcomes_table(out)?;
        self.rates(out)?;
        self.latencies(out)?;
        self.windows_table(out)?;
        self.paths_table(out)?;
        self.fairness_line(out)?;
        writeln!(
            out,
            "in flight   mean {:.1}, most {} (Little: rate x response {:.1})",
            self.in_flight_mean,
            self.in_flight_max,
            self.offered_per_second * self.sojourn_mean.unwrap_or_default()
        )?;
        if self.attempts > self.outcomes.scheduled {
            let retries = self.attempts - self.outcomes.scheduled;
            let amplification = self.amplification;
            writeln!(out, "retries     {retries}: {amplification:.2} attempts a request")?;
        }
        for (why, count) in &self.failures {
            writeln!(out, "no answer   {count} x {why}")?;
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
            seconds_or_dash(self.response_seconds.p99),
            percent(self.outcomes.refused, self.outcomes.scheduled)
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
            let per_second = rate(count as f64 / self.duration_seconds.max(f64::MIN_POSITIVE));
            let meaning = self.meaning(outcome);
            let name = outcome.name();
            writeln!(out, "{name:<14}{count:>8} {share:>8} {per_second:>10}  {meaning}")?;
        }
        Ok(())
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
        write!(out, "throughput  {}   goodput", rate(self.throughput_per_second))?;
        if self.goodput_by_slo.is_empty() {
            write!(out, " {}", rate(self.goodput_per_second))?;
        }
        for (index, slo) in self.goodput_by_slo.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let good = rate(slo.goodput_per_second);
            write!(out, "{comma} {good} within {}", seconds(slo.slo_seconds))?;
        }
        writeln!(out)
    }

    fn latencies(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{:<22}{}", "", quantile_names())?;
        let rows = [
            ("response, as intended", &self.response_seconds),
            ("response, as sent", &self.raw_seconds),
            ("refusal, as intended", &self.refusal_seconds),
        ];
        for (name, quantiles) in rows.iter().filter(|(_, quantiles)| quantiles.count > 0) {
            writeln!(out, "{name:<22}{}", quantile_row(quantiles))?;
        }
        Ok(())
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
        let verdict = verdict(
            Some(server),
            self.offered_per_second,
            self.throughput_per_second,
            self.generator.kept_schedule,
            self.generator.cpu_share,
        );
        writeln!(
            out,
            "server      {} (pid {}): {} of {}, {} threads, {:.0} MiB; {} full listen queues\n            \
             {}",
            server.name,
            server.pid,
            whole_percent(server.utilization),
            counted(server.cores, "core"),
            server.threads_max,
            server.rss_max_bytes as f64 / f64::from(1 << 20),
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
            seconds_or_dash(self.response_seconds.p99)
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
            seconds_or_dash(self.response_seconds.p50),
            seconds_or_dash(self.response_seconds.p99)
        )
    }
}

impl fmt::Display for GeneratorReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "generator   began p50 {}, p99 {}, max {} late; {} of a core on {}; {} connections \
             opened, {} at once",
            seconds_or_dash(self.lag_seconds.p50),
            seconds_or_dash(self.lag_seconds.p99),
            seconds_or_dash(self.lag_seconds.max),
            whole_percent(self.cpu_share),
            counted(self.threads, "thread"),
            self.connections_opened,
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
    columns(&QuantileSummary::default()).map(|(name, _)| format!("{name:>10}")).collect()
}

fn quantile_row(quantiles: &QuantileSummary) -> String {
    columns(quantiles).map(|(_, value)| format!("{:>10}", seconds_or_dash(value))).collect()
}

/// Returns the columns of a table of distributions: each with its name and its value in seconds.
fn columns(of: &QuantileSummary) -> impl Iterator<Item = (&'static str, Option<f64>)> {
    let quantiles = of.quantiles().into_iter().map(|(name, _, value)| (name, value));
    quantiles.chain([("max", of.max), ("mean", of.mean)])
}
