//! The journal: the last decisions of the controllers, newest at the bottom.

use super::look::Look;
use super::pen::Pen;
use super::table::below;
use crate::top::model::{Focus, Moment, Places, State};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use seda_core::Decision;

/// Returns the lines of the whole journal, with its heading.
pub(super) fn lines(moment: &Moment<'_>) -> usize {
    1 + moment.journal().len()
}

/// Draws the journal with its heading, and says where it is.
pub(super) fn draw(
    pen: &mut Pen<'_>,
    area: Rect,
    moment: &Moment<'_>,
    state: &State,
    places: &mut Places,
) {
    let look = pen.look;
    let body = below(area);
    places.journal = body.y..body.bottom();
    let journal = moment.journal();
    let rows = usize::from(body.height);
    let below_last = state.journal_offset.min(journal.len().saturating_sub(rows));
    places.journal_offset = below_last;
    let end = journal.len() - below_last;
    let heading = match (journal.len(), below_last) {
        (0, _) => "journal: no decision yet".to_owned(),
        (all, 0) => format!("journal: the last of {all} decisions"),
        (all, _) => format!("journal: up to decision {end} of {all}"),
    };
    let style = if state.focus == Focus::Journal { look.sorted() } else { look.label() };
    pen.left(area, &Line::styled(heading, style));
    let shown = journal.iter().take(end).skip(end.saturating_sub(rows));
    for (decision, row) in shown.zip(body.rows()) {
        pen.left(row, &line(decision, look));
    }
}

/// Returns a decision in one line, the action before the evidence.
fn line(decision: &Decision, look: Look) -> Line<'static> {
    let would = if decision.acted { "" } else { "(only observed) " };
    let stage = decision.stage.as_deref().map(|stage| format!(" {stage}")).unwrap_or_default();
    let decided = format!("{:>8.1}s {}{stage}: ", decision.at_seconds, decision.controller);
    let changed = match decision.changed.as_str() {
        "" => String::new(),
        changed => format!(" [{changed}]"),
    };
    let what = format!("{would}{}{changed}", decision.action);
    let why = match decision.seen.as_str() {
        "" => String::new(),
        seen => format!(": {seen}"),
    };
    Line::from(vec![
        Span::styled(look.shown(&decided), look.label()),
        Span::raw(look.shown(&what)),
        Span::styled(look.shown(&why), look.label()),
    ])
}
