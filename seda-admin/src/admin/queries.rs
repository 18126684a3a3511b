//! What the query of a request asks for.

use crate::answer::{AdminAnswer, SVG, quality};
use crate::drawing::{COLUMNS, COLUMNS_MOST};
use crate::pages::{Past, View};

/// The content type of DOT.
const DOT: &str = "text/vnd.graphviz";

/// Returns the part of the history that a query asks for, or a 400 for a number that is none.
pub(super) fn past(query: Option<&str>) -> Result<Past, AdminAnswer> {
    let seconds = value(query, "seconds").unwrap_or("60");
    seconds.parse().ok().and_then(Past::of).ok_or_else(|| {
        let text = "allowed: seconds=1 to seconds=600; 60 is the default\n";
        AdminAnswer::text(400, text)
    })
}

/// Returns the view that the query of a report asks for, or a 400 for an unknown format.
pub(super) fn report_view(query: Option<&str>) -> Result<View, AdminAnswer> {
    match value(query, "format") {
        None | Some("json") => Ok(View::Json),
        Some("text") => Ok(View::Text),
        Some(_) => {
            let text = "allowed: format=json (the default) and format=text\n";
            Err(AdminAnswer::text(400, text))
        }
    }
}

/// Returns the view of the graph that a query asks for, or a 400 for an unknown one. Without a
/// format the client gets DOT, unless it prefers SVG or a page: a browser draws the one and saves
/// the other.
pub(super) fn graph_view(query: Option<&str>, accept: Option<&str>) -> Result<View, AdminAnswer> {
    let columns = match value(query, "columns") {
        None => Some(COLUMNS),
        Some(text) => text.parse().ok().filter(|columns| (1..=COLUMNS_MOST).contains(columns)),
    };
    match (value(query, "format"), columns) {
        (Some("dot"), Some(_)) => Ok(View::Dot),
        (Some("svg"), Some(columns)) => Ok(View::Svg(columns)),
        (None, Some(columns)) if prefers_svg(accept) => Ok(View::Svg(columns)),
        (None, Some(_)) => Ok(View::Dot),
        _ => {
            let text = format!(
                "allowed: format=dot, format=svg, and columns=1 to columns={COLUMNS_MOST}; \
                 {COLUMNS} columns are the default\n"
            );
            Err(AdminAnswer::text(400, text))
        }
    }
}

fn prefers_svg(accept: Option<&str>) -> bool {
    let accept = accept.unwrap_or_default();
    let drawn = [SVG, "text/html"].into_iter().filter_map(|name| quality(accept, name, &[]));
    let drawn = drawn.fold(0.0, f64::max);
    drawn > 0.0 && drawn >= quality(accept, DOT, &[]).unwrap_or(0.0)
}

/// Returns the value of the first pair with this key.
fn value<'q>(query: Option<&'q str>, key: &str) -> Option<&'q str> {
    let mut pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(known, value)| (known == key).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_drawing_and_a_tool_gets_dot() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for accept in [browser, "image/svg+xml", "text/vnd.graphviz;q=0.5, image/svg+xml;q=0.6"] {
            assert_eq!(graph_view(None, Some(accept)), Ok(View::Svg(COLUMNS)), "{accept}");
            assert_eq!(graph_view(Some("format=dot"), Some(accept)), Ok(View::Dot));
        }
        for accept in [None, Some("*/*"), Some("text/vnd.graphviz, image/svg+xml;q=0.1")] {
            assert_eq!(graph_view(None, accept), Ok(View::Dot));
            let asked = graph_view(Some("columns=2&format=svg"), accept);
            assert_eq!(asked, Ok(View::Svg(2)));
        }
        for query in ["format=png", "format=svg&columns=0", "columns=13", "columns=x"] {
            assert_eq!(graph_view(Some(query), None).unwrap_err().status, 400, "{query}");
        }
    }
}
