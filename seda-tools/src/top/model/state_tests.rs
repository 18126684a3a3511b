use super::*;
use crate::top::model::Moment;
use crate::top::model::testing::{many_stages, shop_after_a_minute};

/// Returns the places of a table of ten rows, five of which are in sight, over a journal.
fn places() -> Places {
    Places {
        keys: (100..110).collect(),
        offset: 2,
        table: 5..10,
        header: 4,
        columns: vec![(0..12, Sort::Flow), (13..19, Sort::Rate)],
        journal: 11..15,
        journal_offset: 0,
    }
}

fn apply(state: &mut State, commands: &[Command]) {
    let tape = Tape::default();
    commands.iter().for_each(|command| state.apply(*command, &places(), &tape));
}

#[test]
fn the_arrows_select_rows() {
    let mut state = State::default();
    apply(&mut state, &[Command::Rows(1)]);
    assert_eq!(state.selected, Some(102), "the first in sight");
    apply(&mut state, &[Command::Rows(1), Command::Screens(1)]);
    assert_eq!((state.selected, state.follows_selected), (Some(108), true));
    apply(&mut state, &[Command::Screens(1)]);
    assert_eq!(state.selected, Some(109));
    apply(&mut state, &[Command::Top]);
    assert_eq!(state.selected, Some(100));
    apply(&mut state, &[Command::Bottom, Command::Back]);
    assert_eq!(state.selected, None);
}

#[test]
fn the_mouse_selects_a_row_and_sorts_by_a_column() {
    let mut state = State::default();
    apply(&mut state, &[Command::Click { column: 40, row: 6 }]);
    assert_eq!(state.selected, Some(103));
    apply(&mut state, &[Command::Click { column: 14, row: 4 }]);
    assert_eq!((state.sort, state.selected), (Sort::Rate, Some(103)));
    apply(&mut state, &[Command::Click { column: 14, row: 1 }]);
    assert_eq!((state.sort, state.selected), (Sort::Rate, Some(103)));
    apply(&mut state, &[Command::Scroll { row: 6, by: 3 }]);
    assert_eq!(state.offset, 3);
    apply(&mut state, &[Command::Scroll { row: 12, by: -3 }]);
    assert_eq!((state.offset, state.journal_offset), (3, 3));
}

#[test]
fn the_focus_moves_the_arrows_to_the_journal() {
    let mut state = State::default();
    apply(&mut state, &[Command::Focus, Command::Rows(-1), Command::Screens(-1)]);
    assert_eq!((state.journal_offset, state.selected), (5, None));
    apply(&mut state, &[Command::Rows(2), Command::Bottom]);
    assert_eq!(state.journal_offset, 0);
}

#[test]
fn another_table_has_no_selection_yet() {
    let mut state = State::default();
    apply(&mut state, &[Command::Rows(1), Command::Show(Page::Edges)]);
    assert_eq!((state.page, state.selected), (Page::Edges, None));
    apply(&mut state, &[Command::Help, Command::Back, Command::Back]);
    assert_eq!((state.has_help, state.page), (false, Page::Stages));
    apply(&mut state, &[Command::NextPage, Command::NextPage, Command::NextPage]);
    assert_eq!(state.page, Page::Stages);
}

#[test]
fn the_highest_stands_first() {
    let tape = shop_after_a_minute();
    let sorted = |sort: Sort| {
        let mut stages = Moment::of(&tape, None).stages();
        sort.apply(&mut stages);
        stages.iter().map(|stage| stage.name).collect::<Vec<_>>()
    };
    assert_eq!(sorted(Sort::Flow)[..3], ["accept", "parse", "cache"]);
    assert_eq!(sorted(Sort::Rate), ["accept", "parse", "reply", "cache", "render-pages"]);
    for sort in [Sort::Queue, Sort::Workers, Sort::Busy, Sort::Wait, Sort::Service, Sort::Shed] {
        assert_eq!(sorted(sort)[0], "render-pages", "{sort:?}");
    }
    assert_eq!(sorted(Sort::Refused)[..2], ["accept", "render-pages"]);
}

#[test]
fn orders_follow_each_other_in_a_circle() {
    let mut state = State::default();
    apply(&mut state, &[Command::PreviousSort]);
    assert_eq!(state.sort, Sort::Shed);
    apply(&mut state, &[Command::NextSort, Command::NextSort]);
    assert_eq!(state.sort, Sort::Rate);
}

#[test]
fn a_paused_server_stays_at_its_second() {
    let tape = many_stages(2);
    let mut state = State { playback: Playback::live(None), ..State::default() };
    state.apply(Command::Pause, &places(), &tape);
    state.apply(Command::Seconds(-2), &places(), &tape);
    assert_eq!(state.playback.at(), Some(8.0));
    state.apply(Command::End, &places(), &tape);
    assert_eq!(state.playback.at(), None);
}
