//! Properties of every page.

use super::samples::Overload::{Collapses, Sheds};
use super::*;
use crate::experiment::sweep::{Point, Spread};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns the text of the element `report`.
fn embedded(page: &str) -> &str {
    let from = page.split_once(r#"id="report">"#).unwrap().1;
    from.split_once("</script>").unwrap().0
}

/// Returns a report after a round trip through JSON, which may change the last digit of a number.
fn through_json<T: Serialize + DeserializeOwned>(report: &T) -> T {
    serde_json::from_str(&serde_json::to_string(report).unwrap()).unwrap()
}

#[test]
fn a_page_contains_its_report() {
    let report = samples::sweep("seda", 4800.0, Sheds);
    let page = sweep(&report).unwrap();
    let read: SweepReport = serde_json::from_str(embedded(&page)).unwrap();
    assert!(read == through_json(&report));

    let report = samples::step("seda", 4800.0, Collapses);
    let page = step(&report).unwrap();
    let read: StepReport = serde_json::from_str(embedded(&page)).unwrap();
    assert!(read == through_json(&report));
}

#[test]
fn a_comparison_has_the_points_without_the_rounds() {
    let reports = [samples::sweep("a", 4800.0, Sheds), samples::sweep("b", 4500.0, Collapses)];
    let page = compare(&reports).unwrap();
    let kept: Vec<SweepReport> = serde_json::from_str(embedded(&page)).unwrap();
    for (kept, mut report) in kept.into_iter().zip(reports) {
        report.rounds.clear();
        report.points.iter_mut().for_each(|point| point.cdf.clear());
        assert!(kept == through_json(&report));
    }
}

#[test]
fn a_name_cannot_end_its_element() {
    let name = "</script><script>alert(1)</script><!--<script>\u{2028}\u{2029}&amp;</title>";
    let mut report = samples::sweep(name, 4800.0, Sheds);
    report.command = name.to_owned();
    let page = sweep(&report).unwrap();
    let plain = sweep(&SweepReport::default()).unwrap();
    for tag in ["<script", "</script", "<!--", "</title"] {
        assert_eq!(page.matches(tag).count(), plain.matches(tag).count(), "{tag}");
    }
    assert!(!embedded(&page).contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
    assert_eq!(serde_json::from_str::<SweepReport>(embedded(&page)).unwrap().name, name);
}

#[test]
fn a_page_fetches_nothing() {
    let report = samples::sweep("seda", 4800.0, Sheds);
    let pages = [
        sweep(&report).unwrap(),
        compare(&[report]).unwrap(),
        step(&samples::step("seda", 4800.0, Sheds)).unwrap(),
    ];
    for page in pages {
        for reference in ["src=", "href=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("]
        {
            assert!(!page.contains(reference), "{reference}");
        }
        assert!(page.contains("default-src 'none'"));
    }
}

#[test]
fn a_number_that_is_not_finite_is_null_in_the_page() {
    let nan = Spread { median: f64::NAN, low: f64::NEG_INFINITY, high: f64::INFINITY };
    let point = Point { multiple: 1.0, goodput_per_second: nan, ..Point::default() };
    let report = SweepReport { points: vec![point], ..SweepReport::default() };
    let page = sweep(&report).unwrap();
    let read: serde_json::Value = serde_json::from_str(embedded(&page)).unwrap();
    assert!(read["points"][0]["goodput_per_second"]["median"].is_null());
}

#[test]
fn an_empty_report_makes_a_page() {
    assert!(sweep(&SweepReport::default()).unwrap().contains(r#"data-kind="sweep""#));
    assert!(compare(&[]).unwrap().contains(r#"data-kind="compare""#));
    assert!(step(&StepReport::default()).unwrap().contains(r#"data-kind="step""#));
}
