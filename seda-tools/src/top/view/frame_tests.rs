//! Whole frames against kept texts in `frames/`, each of which was read by a person.
//!
//! `KEEP_FRAMES=1 cargo test -p seda-tools frame` writes the frames that differ, and fails: read
//! them before they are kept.

use super::*;
use crate::top::model::testing::{Made, chain, many_stages, shop_after_a_minute};
use crate::top::model::{Command, Link, Page, Places, Playback, Sort, State, Tape};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::env;
use std::fs;
use std::path::Path;

const COLORED: Look = Look { has_color: true, has_unicode: true };

/// Draws a frame on a terminal, and returns its buffer and places.
fn drawn(
    tape: &Tape,
    state: &mut State,
    (width, height): (u16, u16),
    look: Look,
) -> (Buffer, Places) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut places = Places::default();
    terminal
        .draw(|frame| {
            let area = frame.area();
            places = draw(frame.buffer_mut(), area, tape, state, look);
        })
        .unwrap();
    state.settle(&places);
    (terminal.backend().buffer().clone(), places)
}

#[track_caller]
pub(super) fn assert_is(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/top/view/frames").join(name);
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if kept != text && env::var_os("KEEP_FRAMES").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert!(kept == text, "{name} differs from what is kept. It is now:\n{text}\nkept is:\n{kept}");
}

#[track_caller]
fn assert_frame(name: &str, tape: &Tape, state: &mut State, size: (u16, u16), look: Look) {
    let (buffer, _) = drawn(tape, state, size, look);
    assert_is(name, &plain_text(&buffer));
}

fn live() -> State {
    State::new("127.0.0.1:8080".to_owned(), Link::Up, Playback::live(None))
}

#[test]
fn an_overloaded_graph_fits_the_smallest_screen() {
    let tape = shop_after_a_minute();
    assert_frame("shop-80x24.txt", &tape, &mut live(), (80, 24), COLORED);
}

#[test]
fn a_larger_screen_shows_more_of_names_and_trends() {
    let tape = shop_after_a_minute();
    let mut state = live();
    state.apply(Command::Rows(3), &drawn(&tape, &mut live(), (120, 40), COLORED).1, &tape);
    state.sort = Sort::Busy;
    assert_frame("shop-120x40.txt", &tape, &mut state, (120, 40), COLORED);
}

#[test]
fn sixty_four_stages_scroll_to_the_selected_one() {
    let tape = many_stages(64);
    let mut state = live();
    let (_, places) = drawn(&tape, &mut state, (80, 24), COLORED);
    (0..41).for_each(|_| state.apply(Command::Rows(1), &places, &tape));
    assert_frame("many-stages-80x24.txt", &tape, &mut state, (80, 24), COLORED);
    assert_eq!(state.selected, Some(40));
    // The wheel moves the rows away from the selected one, and not beyond the last.
    let (_, places) = drawn(&tape, &mut state, (80, 24), COLORED);
    state.apply(Command::Scroll { row: places.table.start, by: 1_000 }, &places, &tape);
    let (_, places) = drawn(&tape, &mut state, (80, 24), COLORED);
    assert_eq!(places.offset + places.table.len(), 64);
}

#[test]
fn an_idle_graph_has_no_bottleneck() {
    let idle = |name| Made {
        name,
        handled: 0,
        refused: 0,
        shed: 0,
        depth: 0,
        capacity: 64,
        workers: (0.0, 2),
        times: (0.0, 0.0),
    };
    let stages = [idle("a"), idle("b")];
    let mut tape = Tape::live(Box::new(chain("still", &stages, 7)), None);
    tape.push(Box::new(chain("still", &stages, 8)));
    assert_frame("idle-80x24.txt", &tape, &mut live(), (80, 24), COLORED);
}

#[test]
fn a_broken_connection_is_said_over_the_last_figures() {
    let tape = shop_after_a_minute();
    let mut state = live();
    let reason = "Connection refused (os error 111)".to_owned();
    state.link = Link::Broken { seconds: 12.3, reason };
    assert_frame("broken-80x24.txt", &tape, &mut state, (80, 24), COLORED);
}

#[test]
fn classes_and_edges_have_tables_of_their_own() {
    let tape = shop_after_a_minute();
    for (page, name) in [(Page::Classes, "classes-80x24.txt"), (Page::Edges, "edges-80x24.txt")] {
        let mut state = live();
        state.page = page;
        assert_frame(name, &tape, &mut state, (80, 24), COLORED);
    }
}

#[test]
fn a_recorded_second_has_its_own_figures_and_its_own_journal() {
    let tape = Tape::of_history(shop_after_a_minute().history().clone());
    let mut playback = Playback::from_start(&tape);
    playback.change_speed(true);
    playback.play(11.0, &tape);
    let mut state = State::new("shop.json".to_owned(), Link::File, playback);
    assert_frame("replay-100x24.txt", &tape, &mut state, (100, 24), COLORED);
}

#[test]
fn a_second_without_its_classes_says_so() {
    let mut history = shop_after_a_minute().history().clone();
    history.seconds.iter_mut().for_each(|second| second.detail = None);
    let mut state = State::new("shop.json".to_owned(), Link::File, Playback::stopped(30.0));
    let (buffer, _) = drawn(&Tape::of_history(history), &mut state, (80, 24), COLORED);
    let text = plain_text(&buffer);
    assert!(text.contains("last 60 s alone") && !text.contains("SLO p99"), "{text}");
}

#[test]
fn classes_without_room_are_counted() {
    let mut report = crate::top::model::testing::shop(5);
    for n in 0..9 {
        report.classes.push(report.classes[n].clone());
    }
    let (buffer, _) = drawn(&Tape::of_report(Box::new(report)), &mut live(), (80, 24), COLORED);
    let text = plain_text(&buffer);
    assert!(text.contains("9 more classes: key 2") && text.contains("journal"), "{text}");
}

#[test]
fn the_help_covers_the_frame() {
    let mut state = live();
    state.has_help = true;
    assert_frame("help-80x24.txt", &shop_after_a_minute(), &mut state, (80, 24), COLORED);
}

#[test]
fn a_terminal_without_unicode_shows_ascii_alone() {
    let ascii = Look { has_color: false, has_unicode: false };
    let (buffer, _) = drawn(&shop_after_a_minute(), &mut live(), (80, 24), ascii);
    let text = plain_text(&buffer);
    assert!(text.is_ascii(), "{text}");
    assert_is("ascii-80x24.txt", &text);
}

#[test]
fn without_color_the_text_is_the_same_and_marks_say_what_colors_said() {
    let tape = shop_after_a_minute();
    let colored = drawn(&tape, &mut live(), (80, 24), COLORED).0;
    let plain = drawn(&tape, &mut live(), (80, 24), Look::PLAIN).0;
    assert_eq!(plain_text(&colored), plain_text(&plain));
    let has_color = |buffer: &Buffer| {
        buffer.content().iter().any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
    };
    assert!(has_color(&colored) && !has_color(&plain));
    let mark = plain.content().iter().find(|cell| cell.symbol() == "▶").unwrap();
    assert!(mark.modifier.contains(Modifier::BOLD));
}

#[test]
fn a_smaller_screen_says_what_it_needs() {
    let tape = shop_after_a_minute();
    for size in [(60, 20), (80, 23), (79, 50), (9, 3), (1, 1)] {
        let (buffer, places) = drawn(&tape, &mut live(), size, COLORED);
        assert!(places.keys.is_empty());
        let text = plain_text(&buffer);
        assert!(size.0 < 60 || text.contains("needs 80 x 24 characters; here are"), "{text}");
    }
}

#[test]
fn every_size_and_page_draws() {
    let (tape, empty) = (shop_after_a_minute(), Tape::default());
    for tape in [&tape, &empty] {
        for (width, height) in [(80, 24), (81, 25), (113, 31), (200, 60), (400, 150)] {
            for page in [Page::Stages, Page::Classes, Page::Edges] {
                let mut state = live();
                (state.page, state.has_help) = (page, width == 81);
                let (buffer, places) = drawn(tape, &mut state, (width, height), COLORED);
                assert!(places.journal.end < height && plain_text(&buffer).contains("journal"));
            }
        }
    }
}

#[test]
fn a_printed_frame_has_every_row() {
    let tape = many_stages(64);
    let mut state = live();
    state.is_printed = true;
    let height = height_of_all(&tape, &state, 100, Look::PLAIN);
    let (buffer, places) = drawn(&tape, &mut state, (100, height), Look::PLAIN);
    assert_eq!((places.offset, places.keys.len()), (0, 64));
    assert!(places.table.len() >= 64);
    let text = plain_text(&buffer);
    assert!(text.contains("stage-63") && !text.contains("rows ") && !text.contains("q end"));
}

#[test]
fn figures_that_no_server_has_draw() {
    for (at, length) in [(0.0, 0.0), (-7.0, 1.0), (1e300, 1e300), (5.0, -1e300), (1e-300, 1e300)] {
        let stage = serde_json::json!({
            "handled": u32::MAX, "depth": u32::MAX, "workers": u32::MAX, "stuck": 9,
            "utilization": 1e30, "busy_workers": -4.0, "wait": { "p99": 1e30 },
            "service": { "p99": -1.0 }, "shed": u32::MAX, "refused": 1
        });
        let history = serde_json::json!({
            "graph": "odd", "stages": ["a"], "classes": ["x", "y"], "edges": [{ "to": "gone" }, {}],
            "bucket_bounds": [1.0],
            "seconds": [
                { "at": at, "seconds": length, "stages": [stage], "detail": { "classes": [
                    { "responses": [u32::MAX, 3, 4], "stages": [{}, {}] }
                ] } },
                { "at": 2.0, "seconds": 1.0, "load": { "ratio": -2.0 }, "stages": [{}] }
            ]
        });
        let tape = Tape::of_history(serde_json::from_value(history).unwrap());
        for page in [Page::Stages, Page::Classes, Page::Edges] {
            let mut state =
                State::new("odd.json".to_owned(), Link::File, Playback::from_start(&tape));
            state.page = page;
            for _ in 0..3 {
                drawn(&tape, &mut state, (80, 24), COLORED);
                state.playback.play(1.0, &tape);
                state.playback.step(1, &tape);
            }
        }
    }
}

#[test]
fn escape_codes_in_names_do_not_reach_the_terminal() {
    let named = Made {
        name: "\x1b[2J\u{202e}bad\n",
        handled: 1,
        refused: 0,
        shed: 0,
        depth: 0,
        capacity: 1,
        workers: (0.0, 1),
        times: (0.0, 0.0),
    };
    let tape = Tape::live(Box::new(chain("\x1b]0;x\x07", &[named], 1)), None);
    let (buffer, _) = drawn(&tape, &mut live(), (80, 24), COLORED);
    assert!(!plain_text(&buffer).replace('\n', "").contains(char::is_control));
}
