//! The figures of one path of a run.

use seda_tools::mix::{Choice, Mix};
use seda_tools::outcome::Outcomes;
use seda_tools::report::{LoadReport, PathReport};

/// Returns the report of the path that equals `part`, or else contains it.
pub(crate) fn find<'a>(load: &'a LoadReport, part: &str) -> Option<&'a PathReport> {
    let paths = load.paths.iter().map(|report| report.path.split_once(' '));
    let labels = paths.map(|path| path.map_or("", |(_method, label)| label));
    load.paths.get(position(labels, part)?)
}

/// Returns the entry of a mix that [`find`] would find in its report.
pub(crate) fn choice<'a>(mix: &'a Mix, part: &str) -> Option<&'a Choice> {
    let labels: Vec<String> = mix.choices().iter().map(Choice::to_string).collect();
    mix.choices().get(position(labels.iter().map(String::as_str), part)?)
}

/// A label equal to `part` wins over one that contains it, because every path contains `/`.
fn position<'a>(labels: impl Iterator<Item = &'a str> + Clone, part: &str) -> Option<usize> {
    let whole = labels.clone().position(|label| label == part);
    whole.or_else(|| labels.into_iter().position(|label| label.contains(part)))
}

/// Returns the share of refused requests among the scheduled ones; 0 without any.
pub(crate) fn refused_share(outcomes: &Outcomes) -> f64 {
    outcomes.refused as f64 / outcomes.scheduled.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_equal_path_is_found_before_one_that_contains_the_text() {
        let path = |path: &str| {
            let mut report = PathReport::default();
            report.path = format!("GET {path}");
            report
        };
        let mut load = LoadReport::default();
        load.paths = vec![path("/work?class=gold"), path("/")];
        let found = |part| find(&load, part).map(|path| path.path.as_str());
        assert_eq!(found("/"), Some("GET /"));
        assert_eq!(found("class=gold"), Some("GET /work?class=gold"));
        assert_eq!(found("class=basic"), None);
    }

    #[test]
    fn an_entry_of_a_mix_is_found_by_the_same_text_as_its_report() {
        let mix: Mix = "{priority: u=0} /work=1,/work=9".parse().unwrap();
        let found = |part| choice(&mix, part).map(|choice| choice.weight);
        assert_eq!((found("priority: u=0"), found("/work")), (Some(1.0), Some(9.0)));
        assert_eq!(found("gold"), None);
    }

    #[test]
    fn the_refused_share_of_no_requests_is_zero() {
        let outcomes = Outcomes { scheduled: 8, refused: 2, ..Outcomes::default() };
        assert_eq!(refused_share(&outcomes), 0.25);
        assert_eq!(refused_share(&Outcomes::default()), 0.0);
    }
}
