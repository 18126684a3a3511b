//! Properties of every drawing.

use super::*;
use crate::experiment::step::StepReport;
use crate::experiment::sweep::{Point, Spread, SweepReport};
use crate::page::samples::Overload::{Collapses, Sheds};
use crate::page::samples::{step, sweep};

/// Returns true if every element is closed in order and every attribute is quoted.
fn is_well_formed(svg: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = svg.trim();
    while let Some((text, after)) = rest.split_once('<') {
        let Some((tag, next)) = after.split_once('>') else { return false };
        let is_text = !text.contains('>') && text.split('&').skip(1).all(|name| name.contains(';'));
        if !is_text || tag.contains('<') || tag.matches('"').count() % 2 != 0 {
            return false;
        }
        match (tag.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) if open.pop() != Some(name) => return false,
            (None, false) => open.push(tag.split_whitespace().next().unwrap_or_default()),
            _ => {}
        }
        rest = next;
    }
    open.is_empty() && rest.is_empty()
}

#[test]
fn a_drawing_is_well_formed_and_has_every_name_as_text() {
    let names = ["seda", "thread per request", "a <b> & \"c\"\u{1}"];
    let sweeps =
        [Sheds, Collapses, Sheds].iter().zip(names).map(|(how, name)| sweep(name, 4800.0, *how));
    let steps =
        [Sheds, Collapses, Sheds].iter().zip(names).map(|(how, name)| step(name, 4800.0, *how));
    let goodput = goodput_svg(&sweeps.collect::<Vec<_>>(), "Under <overload>").unwrap();
    let step = step_svg(&steps.collect::<Vec<_>>(), "Under <overload>").unwrap();
    for svg in [goodput, step] {
        assert!(is_well_formed(&svg));
        let texts: Vec<&str> = svg.split("<text").skip(1).collect();
        for name in [
            "seda",
            "thread per request",
            "a &lt;b&gt; &amp; &quot;c&quot;",
            "Under &lt;overload&gt;",
        ] {
            assert!(texts.iter().any(|text| text.contains(&format!("\n{name}\n"))), "{name}");
        }
    }
}

#[test]
fn a_single_server_has_the_ideal_line_and_a_dark_look() {
    let one = goodput_svg(&[sweep("one", 4800.0, Sheds)], "One").unwrap();
    assert!(one.contains("\nideal\n") && one.contains("prefers-color-scheme: dark"), "{one}");
    // The ticks stand at the loads, and the most important ones have labels.
    for load in ["1×", "0.25×", "5×", "2×"] {
        assert!(one.contains(&format!("\n{load}\n")), "{load}");
    }
    // Each colour of the drawing has a dark one.
    let (_, body) = one.split_once("</style>").unwrap();
    for color in body.split("=\"#").skip(1).map(|rest| &rest[..6]) {
        assert!(one.contains(&format!("[fill=\"#{color}\"]")), "{color}");
    }
    let two = [sweep("one", 4800.0, Sheds), sweep("two", 4800.0, Collapses)];
    assert!(!goodput_svg(&two, "Two").unwrap().contains("\nideal\n"));
}

#[test]
fn a_drawing_holds_only_finite_numbers() {
    let nan = Spread { median: f64::NAN, low: f64::NAN, high: f64::INFINITY };
    let point = |multiple| {
        let mut point = Point { multiple, goodput_per_second: nan, ..Point::default() };
        point.response.p99 = Some(nan);
        point
    };
    let broken = SweepReport {
        name: "broken".to_owned(),
        capacity_per_second: nan,
        points: vec![point(1.0), point(f64::NAN)],
        ..SweepReport::default()
    };
    let mut one = sweep("one", 4800.0, Sheds);
    one.points.truncate(1);
    let nothing = StepReport { bins: vec![crate::report::Bin::default()], ..StepReport::default() };
    let drawings = [
        goodput_svg(&[], "nothing"),
        goodput_svg(&[SweepReport::default()], "empty"),
        goodput_svg(std::slice::from_ref(&broken), "broken"),
        goodput_svg(&[broken, sweep("whole", 4800.0, Sheds)], "both"),
        goodput_svg(&[one], "one"),
        step_svg(&[], "nothing"),
        step_svg(&[StepReport::default()], "empty"),
        step_svg(&[nothing], "no time"),
    ];
    for svg in drawings.map(Result::unwrap) {
        assert!(is_well_formed(&svg));
        assert!(
            !svg.contains("NaN") && !svg.contains("inf") && !svg.contains("-2147483648"),
            "{svg}"
        );
    }
}
