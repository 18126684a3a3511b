//! The report of a lab as text.

use super::report::{CellReport, LabReport, MapReport, VariantReport};
use seda_sim::study::Summary;
use std::fmt;

impl fmt::Display for LabReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for map in &self.maps {
            writeln!(out, "{map}")?;
        }
        writeln!(out, "stuck, in % of the trials")?;
        let first = self.maps.first().map(|map| map.variants.as_slice()).unwrap_or_default();
        let names: String = first.iter().map(|of| format!("{:>15}", of.variant.as_str())).collect();
        writeln!(out, "{:<42}{names}", "")?;
        for map in &self.maps {
            let shares =
                map.variants.iter().map(|of| format!("{:>15}", percent(of.all.stuck_share())));
            writeln!(out, "{:>2} {:<39}{}", map.number, map.title, shares.collect::<String>())?;
        }
        Ok(())
    }
}

impl fmt::Display for MapReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}. {}; capacity {}/s", self.number, self.title, self.capacity_per_second)?;
        self.variants.iter().try_for_each(|variant| write!(out, "{variant}"))
    }
}

impl fmt::Display for VariantReport {
    /// Writes the figures of all trials, and the map: a line for each load and size, a column for
    /// each length. A map without a stuck trial is left out.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.all;
        let back = all.most_back_seconds.map_or_else(|| "never".to_owned(), in_seconds);
        writeln!(
            out,
            "  {:<15} {} of {} stuck, {} %; goodput {} % at least, {} % without \
             the trigger; back after {back} at most, {} after 2 s; amplification {:.2} at most, {} above 1.1",
            self.variant.as_str(),
            all.stuck.len(),
            all.trials,
            stuck(all),
            percent(all.least_goodput),
            percent(all.least_untriggered),
            all.late.len(),
            all.most_amplification,
            all.amplified.len(),
        )?;
        if all.stuck.is_empty() { Ok(()) } else { self.write_map(out) }
    }
}

impl VariantReport {
    fn write_map(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_lengths(out)?;
        let mut line = None;
        for CellReport { cell, summary } in &self.cells {
            let place = (cell.load, cell.size);
            if line != Some(place) {
                line = Some(place);
                let size = cell.size.map_or_else(|| "-".to_owned(), |size| format!("{size:.2}"));
                write!(out, "\n    {:>5.3} {size:>5}", cell.load)?;
            }
            write!(out, "{:>16}", stuck(summary))?;
        }
        writeln!(out)
    }

    /// Writes the heads of the columns.
    fn write_lengths(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "     load  size")?;
        let first = self.cells.first().map(|first| (first.cell.load, first.cell.size));
        let line = self.cells.iter().filter(|of| Some((of.cell.load, of.cell.size)) == first);
        for cell in line {
            write!(out, "{:>16}", in_seconds(cell.cell.length_seconds))?;
        }
        Ok(())
    }
}

/// Returns the share of stuck trials and its interval, in percent.
fn stuck(summary: &Summary) -> String {
    let (least, most) = summary.interval();
    let share = percent(summary.stuck_share());
    format!("{share} [{} {}]", percent(least), percent(most))
}

fn in_seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    // A hundredth matters only near 0.
    if percent > 0.0 && percent < 1.0 { format!("{percent:.2}") } else { format!("{percent:.0}") }
}
