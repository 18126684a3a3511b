//! Figures of one path of a run.

use seda_tools::outcome::Outcomes;
use seda_tools::report::{LoadReport, PathReport};

/// The path that has `part` in it, or is it.
pub(crate) fn find<'a>(load: &'a LoadReport, part: &str) -> Option<&'a PathReport> {
    let target = |path: &PathReport| path.path.split_once(' ').map(|(_, t)| t.to_owned());
    let is_it = |path: &&PathReport| target(path).is_some_and(|target| target == part);
    let has_it = |path: &&PathReport| target(path).is_some_and(|target| target.contains(part));
    load.paths.iter().find(is_it).or_else(|| load.paths.iter().find(has_it))
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
    fn a_share_of_nothing_is_nothing() {
        let outcomes = Outcomes { scheduled: 8, refused: 2, ..Outcomes::default() };
        assert_eq!(refused_share(&outcomes), 0.25);
        assert_eq!(refused_share(&Outcomes::default()), 0.0);
    }
}
