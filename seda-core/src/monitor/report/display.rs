//! The report as text, for the operator.

use crate::config::units::{Percent, Seconds};
use crate::monitor::report::{Report, StageReport, WindowTimes};
use crate::stage::Decision;
use bytesize::ByteSize;
use std::collections::BTreeMap;
use std::fmt;

/// The most decisions shown: they fit below the table on one screen.
const DECISIONS: usize = 5;
/// The most decisions shown of one controller. A controller that decides at every tick would hide
/// all others.
const OF_ONE_CONTROLLER: usize = 2;
/// With fewer durations all of them are below the 99.9th percentile in more than 2.5 % of all cases
/// (0.999^n). The reports of `seda load` have the same bound.
const P999_LEAST: u64 = 3_688;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.headline(f)?;
        writeln!(
            f,
            "{:<14} {:>7} {:>10} {:>6} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}",
            "stage",
            "workers",
            "events/s",
            "util",
            "queue",
            "wait p50",
            "wait p99",
            "serv p50",
            "serv p99",
            "handled",
            "lost"
        )?;
        for stage in &self.stages {
            stage_line(stage, f)?;
        }
        self.losses(f)?;
        for tenant in &self.heaviest_tenants {
            writeln!(
                f,
                "tenant {}: {:.1} requests/s, {:.1} refused",
                tenant.tenant,
                tenant.offered_per_second,
                Percent(tenant.refused_share)
            )?;
        }
        write!(f, "{}", self.bottleneck)?;
        self.decisions(f)
    }
}

impl Report {
    fn headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, requests) = (&self.events, &self.requests);
        writeln!(
            f,
            "{} up {:.1} s; events {} offered, {} handled, {} refused, {} shed, {} failed, {} inside \
             (budget {} of {})",
            self.graph,
            self.uptime_seconds,
            events.offered,
            events.handled,
            events.refused,
            events.shed,
            events.failed,
            events.queued + events.in_hand + events.pending,
            self.budget.used,
            self.budget.limit
        )?;
        if requests.admitted > 0 {
            writeln!(
                f,
                "requests {} admitted, {} answered, {} lost, {} open",
                requests.admitted,
                requests.answered,
                requests.lost.values().sum::<u64>(),
                requests.open
            )?;
        }
        for (class, response) in &self.response_seconds {
            let q = &response.quantiles;
            if q.count > 0 {
                let known = self.classes.iter().find(|known| known.name == *class);
                let slo = known.and_then(|known| known.promised_seconds);
                let quantiles = q.main_quantiles();
                let quantiles = quantiles.map(|(name, value)| format!("{name} {}", time(value)));
                let slo = slo.map(|p99| format!(" (SLO: p99 {})", time(Some(p99))));
                writeln!(
                    f,
                    "response {class}: {} max {}{}",
                    quantiles.join(" "),
                    time(q.max),
                    slo.unwrap_or_default()
                )?;
                known.map_or(Ok(()), |known| lately(&known.last_ten_seconds, f))?;
            }
        }
        Ok(())
    }

    /// Writes the last decisions, oldest first.
    fn decisions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown: Vec<&Decision> = Vec::new();
        for decision in self.journal.iter().rev() {
            let same = shown.iter().filter(|shown| shown.controller == decision.controller);
            if shown.len() < DECISIONS && same.count() < OF_ONE_CONTROLLER {
                shown.push(decision);
            }
        }
        if !shown.is_empty() {
            writeln!(f, "decided last:")?;
        }
        shown.iter().rev().try_for_each(|decision| writeln!(f, "{decision}"))?;
        if self.journal_missed > 0 {
            writeln!(f, "subscribers of the journal missed {} decisions", self.journal_missed)?;
        }
        Ok(())
    }

    fn losses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stage in &self.stages {
            for (what, counts) in [("refused", &stage.refused), ("shed", &stage.shed)] {
                if !counts.is_empty() {
                    writeln!(f, "{}: {what} {}", stage.name, named(counts))?;
                }
            }
            if let Some(share) = stage.busiest_shard_share.filter(|share| *share > 0.0) {
                writeln!(f, "{}: busiest shard {:.1} of its events", stage.name, Percent(share))?;
            }
            if let Some(bytes) = stage.bytes.filter(|bytes| *bytes > 0) {
                writeln!(f, "{}: {} in its events", stage.name, ByteSize::b(bytes))?;
            }
            if let Some(most) = stage.outstanding {
                let outside = stage.pending.saturating_sub(stage.held + stage.delayed);
                let wait = stage.last_ten_seconds.holding.outside_wait;
                let wait = wait.map(|wait| format!("; each waits {} for a thread", Seconds(wait)));
                let wait = wait.unwrap_or_default();
                writeln!(f, "{}: {outside} outside of {most}{wait}", stage.name)?;
            }
            if let Some(gate) = stage.gate.as_ref().filter(|gate| !gate.turned_away.is_empty()) {
                let limit = gate.limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
                let away = named(&gate.turned_away);
                writeln!(f, "{}: turned away {away}; limit {limit}", stage.name)?;
            }
            for class in stage.gate.iter().flat_map(|gate| &gate.cannot_keep) {
                writeln!(f, "{}: no setting can meet the SLO of {class}", stage.name)?;
            }
            if stage.wasted_seconds > 0.0 {
                let wasted = time(Some(stage.wasted_seconds));
                writeln!(f, "{}: earlier stages spent {wasted} on events shed here", stage.name)?;
            }
        }
        Ok(())
    }
}

/// Writes the response times of the last ten seconds, if there are any.
fn lately(times: &WindowTimes, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let tail = match times.count {
        0 => return Ok(()),
        count if count < P999_LEAST => "too few".to_owned(),
        _ => time(times.p999),
    };
    let (p50, p99) = (time(times.p50), time(times.p99));
    writeln!(f, "  in the last 10 s: p50 {p50} p99 {p99} p99.9 {tail}")
}

fn stage_line(stage: &StageReport, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (wait, service) = (&stage.wait_seconds, &stage.service_seconds.quantiles);
    let lost = stage.failed + stage.shed.values().sum::<u64>();
    let workers = match stage.workers.stuck {
        0 => stage.workers.now.to_string(),
        stuck => format!("{}+{stuck}!", stage.workers.now),
    };
    writeln!(
        f,
        "{:<14} {workers:>7} {:>10.1} {:>5.1}% {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {lost:>6}",
        stage.name,
        stage.throughput_per_second,
        stage.utilization * 100.0,
        stage.queue.depth,
        time(wait.p50),
        time(wait.p99),
        time(service.p50),
        time(service.p99),
        stage.handled,
    )
}

fn named(counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
    parts.join(", ")
}

/// Returns a time given in seconds, or "-" if it is unknown.
fn time(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), |seconds| Seconds(seconds).to_string())
}
