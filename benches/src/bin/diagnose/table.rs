//! The verdicts of all looks, by load and by kind.

use crate::DiagnoseError;
use crate::exam::{Exam, Gain};
use seda_core::report::RateEstimate;
use seda_sim::study::diagnosis::{Cause, Kind, LOADS, Look, Said, Verdict};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The file that lists the misses.
const LIST: &str = "misses.txt";
/// A predicted rate is near the measured one if it differs by this share at most.
const NEAR: f64 = 0.1;
/// The misses that are printed.
const SHOWN: usize = 40;

/// The verdicts of all looks.
#[derive(Debug)]
pub(crate) struct Table {
    exams: Vec<Exam>,
}

/// A number of looks, by verdict.
#[derive(Clone, Debug, Default)]
struct Counts(BTreeMap<Verdict, usize>);

impl Counts {
    fn add(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            *self.0.entry(*verdict).or_default() += 1;
        }
    }

    fn of(&self, verdict: Verdict) -> usize {
        self.0.get(&verdict).copied().unwrap_or(0)
    }

    fn all(&self) -> usize {
        self.0.values().sum()
    }

    fn right(&self) -> usize {
        self.0.iter().filter(|(verdict, _)| verdict.is_right()).map(|(_, count)| count).sum()
    }
}

impl Table {
    pub(crate) fn of(exams: Vec<Exam>) -> Self {
        Self { exams }
    }

    /// Writes the spec of each look that is not right, for `seda sim`, and a list of them.
    pub(crate) fn write_misses(&self, folder: &Path) -> Result<(), DiagnoseError> {
        let failed = |error| DiagnoseError::Folder { path: folder.to_owned(), error };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut list = String::new();
        for (exam, look) in self.misses() {
            let name = format!("{}.toml", look.spec.name);
            list += &format!("{}\n", Miss { exam, look });
            std::fs::write(folder.join(name), look.spec.to_toml()?).map_err(failed)?;
        }
        for gain in self.gains().filter(|gain| !gain.is_met()) {
            list += &format!("{gain}\n");
        }
        for rate in self.rates().filter(|rate| rate.error() > NEAR) {
            list += &format!("{rate}\n");
        }
        std::fs::write(folder.join(LIST), list).map_err(failed)
    }

    /// Returns the looks that are not right, of graphs without a tie.
    fn misses(&self) -> impl Iterator<Item = (&Exam, &Look)> {
        self.clear()
            .flat_map(|exam| exam.looks.iter().map(move |look| (exam, look)))
            .filter(|(_, look)| look.verdicts.iter().any(|verdict| *verdict != Verdict::Right))
    }

    /// Returns the graphs without a tie.
    fn clear(&self) -> impl Iterator<Item = &Exam> {
        self.exams.iter().filter(|exam| !exam.truth.is_tie)
    }

    /// Counts the looks of a kind, or of all, at a load.
    fn count(&self, kind: Option<Kind>, is_counted: impl Fn(&Look) -> bool) -> Counts {
        let mut counts = Counts::default();
        for exam in self.clear().filter(|exam| kind.is_none_or(|kind| exam.subject.kind == kind)) {
            let looks = exam.looks.iter().filter(|look| is_counted(look));
            looks.for_each(|look| counts.add(&look.verdicts));
        }
        counts
    }

    fn write_right(&self, f: &mut fmt::Formatter<'_>, kind: Option<Kind>) -> fmt::Result {
        let name = kind.map_or("all", Kind::as_str);
        let graphs = self.clear().filter(|exam| kind.is_none_or(|kind| exam.subject.kind == kind));
        write!(f, "{name:<13}{:>4}", graphs.count())?;
        for load in LOADS {
            let counts = self.count(kind, |look| look.load == load);
            write!(f, "{:>11}", format!("{}/{}", counts.right(), counts.all()))?;
        }
        let busy = self.count(kind, |look| look.load > 0.7);
        for verdict in Verdict::ALL {
            write!(f, "{:>8}", busy.of(verdict))?;
        }
        writeln!(f)
    }

    fn write_totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{:<22}{}",
            "load",
            Verdict::ALL.map(|v| format!("{:>13}", v.as_str())).concat()
        )?;
        for load in LOADS {
            for has_slo in [false, true] {
                let counts = self.count(None, |look| look.load == load && look.has_slo == has_slo);
                let name =
                    format!("{load} {}", if has_slo { "with an SLO" } else { "nothing set" });
                write!(f, "{name:<22}")?;
                for verdict in Verdict::ALL {
                    write!(f, "{:>13}", counts.of(verdict))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }

    /// Returns the predicted rates of all named bottlenecks. The rate that an SLO lets in is not
    /// the one at which a resource is full.
    fn rates(&self) -> impl Iterator<Item = Rate<'_>> {
        self.clear().flat_map(|exam| {
            let is_bound = exam.truth.causes.contains(&Cause::Admission);
            let said = exam.looks.iter().flat_map(|look| look.said.iter().map(move |s| (look, s)));
            said.filter(move |(_, said)| {
                said.is_found() && (is_bound || said.kind != Cause::Admission.as_str())
            })
            .filter_map(|(look, said)| {
                let measured = exam.truth.saturation;
                Some(Rate { look, predicted: said.max_rate?, measured })
            })
        })
    }

    fn gains(&self) -> impl Iterator<Item = &Gain> {
        self.clear().flat_map(|exam| &exam.gains)
    }

    /// Writes how the predicted rates compare with the measured ones.
    fn write_rates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, from, to) in [("0.75x, 0.9x", 0.7, 0.95), ("1.0x, 1.3x", 0.95, 2.0)] {
            let rates = self.rates().filter(|rate| rate.look.load > from && rate.look.load < to);
            let rates: Vec<Rate<'_>> = rates.collect();
            let mut errors: Vec<f64> = rates.iter().map(Rate::error).collect();
            let mut widths: Vec<f64> = rates.iter().map(Rate::half_width).collect();
            let within = errors.iter().filter(|error| **error <= NEAR).count();
            let covered = rates.iter().filter(|rate| rate.is_covered()).count();
            writeln!(
                f,
                "rate at which it is full, from {name}: within 10 % in {within} of {}; error median \
                 {:.1} %, p90 {:.1} %, p95 {:.1} %; interval covers {covered}, half width median \
                 {:.1} %, p95 {:.1} %",
                errors.len(),
                quantile(&mut errors, 0.5) * 100.0,
                quantile(&mut errors, 0.9) * 100.0,
                quantile(&mut errors, 0.95) * 100.0,
                quantile(&mut widths, 0.5) * 100.0,
                quantile(&mut widths, 0.95) * 100.0,
            )?;
        }
        Ok(())
    }

    /// Writes how the expected gains of the named actions compare with those really had.
    fn write_gains(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gains: Vec<&Gain> = self.gains().collect();
        let met = gains.iter().filter(|gain| gain.is_met()).count();
        let mut errors: Vec<f64> =
            gains.iter().map(|gain| (gain.expected - gain.had).abs()).collect();
        let median = quantile(&mut errors, 0.5) * 100.0;
        let p90 = quantile(&mut errors, 0.9) * 100.0;
        writeln!(
            f,
            "gain of the named action: within 15 % or 2 points in {met} of {}; error median \
             {median:.1} points, p90 {p90:.1}",
            gains.len()
        )
    }

    fn write_stability(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let looks: Vec<&Look> = self
            .clear()
            .flat_map(|exam| &exam.looks)
            .filter(|look| look.load > 0.7 || look.load < 0.5)
            .collect();
        let same: f64 = looks.iter().map(|look| look.same).sum();
        let share = same / looks.len().max(1) as f64 * 100.0;
        writeln!(f, "looks, one a second, that name what the last one names: {share:.2} %")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loads = LOADS.map(|load| format!("{:>11}", format!("{load}x"))).concat();
        writeln!(
            f,
            "{:<13}{:>4}{loads}   from 0.75x: right, wrong kind, wrong stage, tied, missed, \
             cannot tell, false alarm",
            "kind", "n"
        )?;
        let mut kinds: Vec<Kind> = self.exams.iter().map(|exam| exam.subject.kind).collect();
        kinds.sort();
        kinds.dedup();
        for kind in kinds {
            self.write_right(f, Some(kind))?;
        }
        self.write_right(f, None)?;
        self.write_totals(f)?;
        let ties = self.exams.iter().filter(|exam| exam.truth.is_tie);
        writeln!(f, "{} graphs are ties and not counted", ties.count())?;
        self.write_rates(f)?;
        self.write_gains(f)?;
        self.write_stability(f)?;
        for (exam, look) in self.misses().take(SHOWN) {
            writeln!(f, "miss {}", Miss { exam, look })?;
        }
        let misses = self.misses().count();
        write!(f, "{misses} runs with a miss; their specs and {LIST} are in the folder `--specs`")
    }
}

/// A predicted rate beside the measured one, as a line.
struct Rate<'a> {
    look: &'a Look,
    predicted: RateEstimate,
    measured: f64,
}

impl Rate<'_> {
    fn error(&self) -> f64 {
        (self.predicted.per_second / self.measured - 1.0).abs()
    }

    fn half_width(&self) -> f64 {
        (self.predicted.high - self.predicted.low) / 2.0 / self.predicted.per_second
    }

    fn is_covered(&self) -> bool {
        (self.predicted.low..=self.predicted.high).contains(&self.measured)
    }
}

impl fmt::Display for Rate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, said) = (&self.look.spec.name, self.predicted.per_second);
        write!(f, "{name}.toml: full at {said:.1}/s predicted, {:.1}/s measured", self.measured)
    }
}

/// A run in which a look is not right, as a line.
struct Miss<'a> {
    exam: &'a Exam,
    look: &'a Look,
}

impl fmt::Display for Miss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exam, look } = self;
        let said: Vec<String> = look.said.iter().map(written).collect();
        let verdicts: Vec<&str> = look.verdicts.iter().map(|verdict| verdict.as_str()).collect();
        let causes: Vec<&str> = exam.truth.causes.iter().map(|cause| cause.as_str()).collect();
        write!(
            f,
            "{}.toml: {}; said {}; truth {} by {}",
            look.spec.name,
            verdicts.join(", "),
            said.join(" | "),
            exam.truth.stages.join(" or "),
            causes.join(" or ")
        )
    }
}

fn written(said: &Said) -> String {
    let mut text = format!("{} {}", said.kind, said.stage.as_deref().unwrap_or("-"));
    text += &format!(" at {:.0} %", said.load * 100.0);
    text
}

/// Returns a quantile; 0 of nothing.
fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * share) as usize;
    values.get(index).or(values.last()).copied().unwrap_or(0.0)
}
