//! Families and samples as text.

use super::Format;
use seda_core::stats::BUCKET_BOUNDS;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Rises and falls.
    Gauge,
    /// Only grows. Its samples end in `_total`.
    Counter,
    /// Durations in the buckets of [`BUCKET_BOUNDS`].
    Histogram,
    /// Labels with the value 1. Its samples end in `_info`.
    Info,
}

/// The samples of one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    /// The name without `_total` and `_info`. It ends in its unit if it has one.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The meaning, in one sentence.
    pub(super) help: &'static str,
}

/// The units of names: base units, as both formats ask for.
const UNITS: [&str; 3] = ["seconds", "bytes", "ratio"];

/// Label names with their values. A label without a value is not written.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// A value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<bool> for Number {
    fn from(is_so: bool) -> Self {
        Self::Whole(u64::from(is_so))
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// The page so far.
#[derive(Debug)]
pub(super) struct Writer {
    format: Format,
    text: String,
    /// The names of all families. A name is used once.
    names: BTreeSet<&'static str>,
}

/// A family that takes samples. Its head is written before the first one.
#[derive(Debug)]
pub(super) struct Samples<'w> {
    writer: &'w mut Writer,
    family: Family,
    is_begun: bool,
    /// Another family has the name.
    is_known: bool,
}

impl Writer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, text: String::new(), names: BTreeSet::new() }
    }

    /// Begins a family. One without a sample is not written.
    pub(super) fn family(&mut self, family: Family) -> Samples<'_> {
        let is_known = !self.names.insert(family.name);
        debug_assert!(!is_known, "`{}` is the name of two families", family.name);
        Samples { writer: self, family, is_begun: false, is_known }
    }

    /// Returns the page.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn head(&mut self, family: Family) {
        let Family { name, kind, help } = family;
        let (suffix, word) = match (kind, self.format) {
            (Kind::Gauge, _) => ("", "gauge"),
            (Kind::Histogram, _) => ("", "histogram"),
            (Kind::Counter, Format::OpenMetrics) => ("", "counter"),
            (Kind::Counter, Format::Prometheus) => ("_total", "counter"),
            (Kind::Info, Format::OpenMetrics) => ("", "info"),
            (Kind::Info, Format::Prometheus) => ("_info", "gauge"),
        };
        self.line(format_args!("# HELP {name}{suffix} {help}"));
        self.line(format_args!("# TYPE {name}{suffix} {word}"));
        let unit = name.rsplit('_').next().filter(|unit| UNITS.contains(unit));
        if let (Some(unit), Format::OpenMetrics) = (unit, self.format) {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: Labels<'_>, value: Number) {
        self.text.push_str(name);
        self.text.push_str(suffix);
        let mut separator = '{';
        for (label, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            self.text.push(separator);
            self.text.push_str(label);
            self.text.push_str("=\"");
            self.put_escaped(value);
            self.text.push('"');
            separator = ',';
        }
        if separator == ',' {
            self.text.push('}');
        }
        match value {
            Number::Whole(number) => self.line(format_args!(" {number}")),
            Number::Real(number) if number.is_infinite() => {
                self.line(format_args!(" {}Inf", if number > 0.0 { '+' } else { '-' }));
            }
            Number::Real(number) => self.line(format_args!(" {number}")),
        }
    }

    fn put_escaped(&mut self, value: &str) {
        for character in value.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // A string takes all text.
        let _ = self.text.write_fmt(text);
        self.text.push('\n');
    }
}

impl Samples<'_> {
    /// Writes a sample of a gauge, a counter or an info.
    pub(super) fn put(&mut self, labels: Labels<'_>, value: impl Into<Number>) {
        let suffix = match self.family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.put_as(suffix, labels, value.into());
    }

    /// Writes a distribution. `buckets` has the number of durations in each bucket.
    pub(super) fn put_histogram(&mut self, labels: Labels<'_>, buckets: &[u64], sum: f64) {
        let mut cumulative = 0;
        for (bucket, bound) in BUCKET_BOUNDS.iter().enumerate() {
            cumulative += buckets.get(bucket).copied().unwrap_or(0);
            // Both formats get the same text, so that the series are the same.
            let whole = bound.as_secs_f64();
            let bound = if whole.fract() == 0.0 { format!("{whole}.0") } else { whole.to_string() };
            self.put_bucket(labels, &bound, cumulative);
        }
        let count: u64 = buckets.iter().sum();
        self.put_bucket(labels, "+Inf", count);
        self.put_as("_sum", labels, sum.into());
        self.put_as("_count", labels, count.into());
    }

    fn put_bucket(&mut self, labels: Labels<'_>, bound: &str, cumulative: u64) {
        let labels: Vec<_> = labels.iter().copied().chain([("le", bound)]).collect();
        self.put_as("_bucket", &labels, cumulative.into());
    }

    fn put_as(&mut self, suffix: &str, labels: Labels<'_>, value: Number) {
        if self.is_known {
            return;
        }
        if !self.is_begun {
            self.is_begun = true;
            self.writer.head(self.family);
        }
        self.writer.sample(self.family.name, suffix, labels, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format, write: impl Fn(&mut Writer)) -> String {
        let mut writer = Writer::new(format);
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn a_family_has_its_head_once_and_a_counter_its_suffix() {
        let write = |writer: &mut Writer| {
            let help = "Time spent.";
            let family = Family { name: "spent_seconds", kind: Kind::Counter, help };
            let mut samples = writer.family(family);
            samples.put(&[("stage", "a"), ("class", "")], 7_u64);
            samples.put(&[], 0.25);
            let family = Family { name: "build", kind: Kind::Info, help: "The build." };
            writer.family(family).put(&[("version", "1")], 1_u64);
            writer.family(Family { name: "unused", kind: Kind::Gauge, help: "" });
        };
        assert_eq!(
            written(Format::Prometheus, write),
            "# HELP spent_seconds_total Time spent.\n\
             # TYPE spent_seconds_total counter\n\
             spent_seconds_total{stage=\"a\"} 7\n\
             spent_seconds_total 0.25\n\
             # HELP build_info The build.\n\
             # TYPE build_info gauge\n\
             build_info{version=\"1\"} 1\n"
        );
        assert_eq!(
            written(Format::OpenMetrics, write),
            "# HELP spent_seconds Time spent.\n\
             # TYPE spent_seconds counter\n\
             # UNIT spent_seconds seconds\n\
             spent_seconds_total{stage=\"a\"} 7\n\
             spent_seconds_total 0.25\n\
             # HELP build The build.\n\
             # TYPE build info\n\
             build_info{version=\"1\"} 1\n\
             # EOF\n"
        );
    }

    #[test]
    fn label_values_are_escaped() {
        let write = |writer: &mut Writer| {
            let family = Family { name: "n", kind: Kind::Gauge, help: "h" };
            writer.family(family).put(&[("stage", "a\"b\\c\nd")], f64::INFINITY);
        };
        let text = written(Format::Prometheus, write);
        assert!(text.ends_with("n{stage=\"a\\\"b\\\\c\\nd\"} +Inf\n"), "{text}");
    }

    #[test]
    fn buckets_are_cumulative_and_the_last_one_has_all() {
        let write = |writer: &mut Writer| {
            let family = Family { name: "wait_seconds", kind: Kind::Histogram, help: "Waits." };
            let buckets: Vec<u64> = (0..23).collect();
            writer.family(family).put_histogram(&[("stage", "a")], &buckets, 1.5);
        };
        let text = written(Format::OpenMetrics, write);
        let line = |line: &str| assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
        line("wait_seconds_bucket{stage=\"a\",le=\"0.00001\"} 0");
        line("wait_seconds_bucket{stage=\"a\",le=\"0.0025\"} 28");
        line("wait_seconds_bucket{stage=\"a\",le=\"1.0\"} 153");
        line("wait_seconds_bucket{stage=\"a\",le=\"+Inf\"} 253");
        line("wait_seconds_sum{stage=\"a\"} 1.5");
        line("wait_seconds_count{stage=\"a\"} 253");
    }
}
