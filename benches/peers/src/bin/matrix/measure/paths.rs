//! Figures of one path of a run.

use seda_tools::mix::{Choice, Mix};
use seda_tools::outcome::Outcomes;
use seda_tools::report::{LoadReport, PathReport};

/// The path that is `part`, or has it in it.
pub(crate) fn find<'a>(load: &'a LoadReport, part: &str) -> Option<&'a PathReport> {
    let labels = load.paths.iter().map(|path| path.path.split_once(' ').map_or("", |(_, l)| l));
    load.paths.get(position(labels, part)?)
}

/// The entry of a mix that is reported as such a path.
pub(crate) fn choice<'a>(mix: &'a Mix, part: &str) -> Option<&'a Choice> {
    let labels: Vec<String> = mix.choices().iter().map(Choice::to_string).collect();
    mix.choices().get(position(labels.iter().map(String::as_str), part)?)
}

/// The whole before a part: `/` is in every path.
fn position<'a>(labels: impl Iterator<Item = &'a str> + Clone, part: &str) -> Option<usize> {
    let whole = labels.clone().position(|label| label == part);
    whole.or_else(|| labels.into_iter().position(|label| label.contains(part)))
}

/// Refused of what was scheduled.
pub(crate) fn refused_share(outcomes: &Outcomes) -> f64 {
    outcomes.refused as f64 / outcomes.scheduled.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_whole_before_in_part() {
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
    fn an_entry_of_a_mix_is_found_as_its_report_is() {
        let mix: Mix = "{priority: u=0} /work=1,/work=9".parse().unwrap();
        let found = |part| choice(&mix, part).map(|choice| choice.weight);
        assert_eq!((found("priority: u=0"), found("/work")), (Some(1.0), Some(9.0)));
        assert_eq!(found("gold"), None);
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        let outcomes = Outcomes { scheduled: 8, refused: 2, ..Outcomes::default() };
        assert_eq!(refused_share(&outcomes), 0.25);
        assert_eq!(refused_share(&Outcomes::default()), 0.0);
    }
}
