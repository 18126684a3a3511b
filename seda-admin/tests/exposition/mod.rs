//! A strict reader of the text formats of Prometheus: it panics at the first line that is not as
//! the formats demand.
//!
//! - [Text format 0.0.4](https://prometheus.io/docs/instrumenting/exposition_formats/)
//! - [OpenMetrics 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/)

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

/// A page that was read.
#[derive(Debug, Default)]
pub struct Scrape {
    /// The type of each family.
    pub families: BTreeMap<String, String>,
    /// The value of each series, by its name with its labels as they were written.
    pub series: BTreeMap<String, f64>,
    /// The names of the samples.
    pub names: BTreeSet<String>,
    /// The buckets of each distribution, by its name and its other labels.
    buckets: BTreeMap<(String, String), Vec<(f64, f64)>>,
}

/// A family that is being read.
struct Family {
    name: String,
    kind: Option<String>,
    unit: Option<String>,
    samples: usize,
}

impl Scrape {
    /// Reads a page of the text format 0.0.4.
    pub fn of_text(page: &str) -> Self {
        Self::read(page, false)
    }

    /// Reads a page of OpenMetrics.
    pub fn of_open_metrics(page: &str) -> Self {
        let page = page.strip_suffix("# EOF\n").expect("the page ends with # EOF");
        Self::read(page, true)
    }

    /// Returns the value of a series, written as `name{label="value"}`.
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no series {series}"))
    }

    /// Returns the sum of all series of a name with all of these parts in their labels.
    pub fn sum(&self, name: &str, parts: &[&str]) -> f64 {
        let of_name = self.series.iter().filter(|(series, _)| {
            series.split('{').next() == Some(name) && parts.iter().all(|part| series.contains(part))
        });
        of_name.map(|(_, value)| value).sum()
    }

    fn read(page: &str, is_open: bool) -> Self {
        assert!(page.is_empty() || page.ends_with('\n'), "the last line has its end");
        assert!(!page.contains('\r'), "lines end with LF alone");
        let mut scrape = Self::default();
        let mut family: Option<Family> = None;
        for line in page.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                scrape.comment(comment, &mut family, is_open);
            } else {
                let family = family.as_mut().unwrap_or_else(|| panic!("no HELP before {line}"));
                family.samples += 1;
                scrape.sample(line, family, is_open);
            }
        }
        scrape.end(family);
        scrape.check_buckets();
        scrape
    }

    fn comment(&mut self, comment: &str, family: &mut Option<Family>, is_open: bool) {
        let mut words = comment.splitn(3, ' ');
        let (word, name) = (words.next().unwrap(), words.next().unwrap());
        let rest = words.next().unwrap_or_else(|| panic!("nothing follows {comment}"));
        if word == "HELP" {
            self.end(family.take());
            assert!(is_name(name, true), "{name}");
            assert!(rest.ends_with('.') && !rest.contains('\\'), "{comment}");
            let new = Family { name: name.to_owned(), kind: None, unit: None, samples: 0 };
            *family = Some(new);
            return;
        }
        let family = family.as_mut().unwrap_or_else(|| panic!("no HELP before {comment}"));
        assert_eq!((family.name.as_str(), family.samples), (name, 0), "{comment}");
        match word {
            "TYPE" => {
                let kinds: &[&str] = if is_open {
                    &["gauge", "counter", "histogram", "info"]
                } else {
                    &["gauge", "counter", "histogram"]
                };
                assert!(kinds.contains(&rest) && family.kind.is_none(), "{comment}");
                assert!(rest != "counter" || is_open != name.ends_with("_total"), "{comment}");
                family.kind = Some(rest.to_owned());
            }
            "UNIT" => {
                assert!(is_open && family.kind.is_some() && family.unit.is_none(), "{comment}");
                assert!(name.ends_with(&format!("_{rest}")), "{comment}");
                family.unit = Some(rest.to_owned());
            }
            _ => panic!("# {comment}"),
        }
    }

    fn end(&mut self, family: Option<Family>) {
        let Some(Family { name, kind, samples, .. }) = family else { return };
        assert!(samples > 0, "{name} has no sample");
        let kind = kind.unwrap_or_else(|| panic!("{name} has no TYPE"));
        assert!(self.families.insert(name.clone(), kind).is_none(), "{name} comes twice");
    }

    fn sample(&mut self, line: &str, family: &Family, is_open: bool) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => {
                (name, labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))
            }
            None => (series, ""),
        };
        assert!(is_name(name, true), "{line}");
        let labels = read_labels(labels);
        let value: f64 = match value {
            "+Inf" => f64::INFINITY,
            value => value.parse().unwrap_or_else(|_| panic!("{line}")),
        };
        let kind = family.kind.as_deref().unwrap_or_else(|| panic!("no TYPE before {line}"));
        let suffix = name.strip_prefix(&*family.name).unwrap_or_else(|| panic!("{line}"));
        let suffixes: &[&str] = match (kind, is_open) {
            ("counter", true) => &["_total"],
            ("info", _) => &["_info"],
            ("histogram", _) => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        assert!(suffixes.contains(&suffix), "{line} in the {kind} {}", family.name);
        assert!(!matches!(kind, "counter" | "histogram") || value >= 0.0, "{line}");
        assert!(self.series.insert(series.to_owned(), value).is_none(), "twice: {series}");
        self.names.insert(name.to_owned());
        if kind == "histogram" {
            self.distribution(&family.name, suffix, labels, value);
        }
    }

    fn distribution(
        &mut self,
        name: &str,
        suffix: &str,
        mut labels: BTreeMap<String, String>,
        value: f64,
    ) {
        let bound = labels.remove("le");
        assert_eq!(bound.is_some(), suffix == "_bucket", "{name}{suffix} {labels:?}");
        let buckets = self.buckets.entry((name.to_owned(), format!("{labels:?}"))).or_default();
        match (suffix, bound.as_deref()) {
            ("_bucket", Some("+Inf")) => buckets.push((f64::INFINITY, value)),
            ("_bucket", Some(bound)) => buckets.push((bound.parse().unwrap(), value)),
            ("_count", _) => {
                let last = buckets.last().unwrap_or_else(|| panic!("{name} has no bucket"));
                assert_eq!(*last, (f64::INFINITY, value), "{name} {labels:?}");
            }
            _ => {}
        }
    }

    /// All distributions have the same bounds, and their buckets are cumulative.
    fn check_buckets(&self) {
        let mut bounds: Option<Vec<f64>> = None;
        for (name, buckets) in &self.buckets {
            assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name:?}: {buckets:?}");
            let these: Vec<f64> = buckets.iter().map(|(bound, _)| *bound).collect();
            assert_eq!(*bounds.get_or_insert_with(|| these.clone()), these, "{name:?}");
        }
    }
}

fn is_name(name: &str, may_have_colons: bool) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let is_part =
        |byte: u8| is_letter(byte) || byte.is_ascii_digit() || (may_have_colons && byte == b':');
    name.bytes().next().is_some_and(is_letter) && name.bytes().all(is_part)
}

/// Reads `name="value",…`. Each name comes once.
fn read_labels(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        assert!(is_name(name, false), "{name} in {text}");
        let (mut value, mut characters) = (String::new(), after.char_indices());
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("{text}")) {
                (_, '\\') => match characters.next().map(|(_, escaped)| escaped) {
                    Some('n') => value.push('\n'),
                    Some(escaped @ ('\\' | '"')) => value.push(escaped),
                    other => panic!("\\{other:?} in {text}"),
                },
                (end, '"') => break end,
                (_, other) => value.push(other),
            }
        };
        assert!(!value.is_empty(), "{name} has no value in {text}");
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice in {text}");
        rest = after.get(end + 1..).unwrap_or_default();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',').unwrap_or_else(|| panic!("{text}"));
            assert!(!rest.is_empty(), "a comma ends {text}");
        }
    }
    labels
}
