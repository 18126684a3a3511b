//! A self-contained HTML file.

use super::error::PageError;
use seda_admin::web::{BASE_STYLE, ELEMENTS_SCRIPT, PALETTE, UNITS_SCRIPT};
use serde::Serialize;

/// A report, and the kind of its page.
#[derive(Debug)]
pub(super) struct Document<'a, T> {
    pub(super) kind: Kind,
    /// The title of the tab.
    pub(super) name: &'a str,
    pub(super) report: &'a T,
}

/// The page that the script makes of the report.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Sweep,
    Compare,
    Step,
}

impl<T: Serialize> Document<'_, T> {
    pub(super) fn html(&self) -> Result<String, PageError> {
        let title = escaped_text(self.name);
        let kind = self.kind.name();
        let report = escaped_json(&serde_json::to_string(self.report)?);
        let script = SCRIPT.concat();
        Ok(format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{title} ({kind})</title>
<style>
{PLOT_STYLE}
{PALETTE}{BASE_STYLE}{STYLE}</style>
</head>
<body>
<main id="page" data-kind="{kind}"></main>
<noscript>This page draws itself with JavaScript. Its figures are in its source, as JSON.</noscript>
<script type="application/json" id="report">{report}</script>
<script>
/*
uPlot

{PLOT_LICENSE}
*/
{PLOT_SCRIPT}
</script>
<script>
"use strict";
{script}</script>
</body>
</html>
"#
        ))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sweep => "sweep",
            Kind::Compare => "compare",
            Kind::Step => "step",
        }
    }
}

/// Allows only the content of the page itself: the strings of a report can neither run nor fetch
/// anything, even if the script had a fault.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

const PLOT_STYLE: &str = include_str!("vendor/uPlot.min.css");
const PLOT_SCRIPT: &str = include_str!("vendor/uPlot.iife.min.js");
/// The licence must be in every copy, and each page is a copy.
const PLOT_LICENSE: &str = include_str!("vendor/uPlot.LICENSE");
const STYLE: &str = include_str!("page.css");

/// The scripts in order: each file uses declarations of earlier files; the last one starts.
const SCRIPT: [&str; 13] = [
    UNITS_SCRIPT,
    ELEMENTS_SCRIPT,
    include_str!("script/palette.js"),
    include_str!("script/scales.js"),
    include_str!("script/strokes.js"),
    include_str!("script/tooltip.js"),
    include_str!("script/chart.js"),
    include_str!("script/load_charts.js"),
    include_str!("script/stage_charts.js"),
    include_str!("script/sweep.js"),
    include_str!("script/compare.js"),
    include_str!("script/step.js"),
    include_str!("page.js"),
];

/// Escapes JSON for a script element; the parsed value stays the same.
///
/// In a script element HTML ends at `</script` and `<!--` (WHATWG HTML, 13.2.5.4 and 13.2.5.20);
/// U+2028 and U+2029 ended a line of JavaScript before ES2019. In JSON all of these occur only in
/// strings, in which an escape has the same meaning.
fn escaped_json(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Escapes text for HTML.
fn escaped_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
