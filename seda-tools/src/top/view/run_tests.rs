//! Frames of a run against kept texts in `frames/`, as in `frame_tests`.

use super::frame_tests::assert_is;
use super::*;
use crate::top::model::testing::overloaded_run;
use crate::top::model::{RunName, RunTape};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

fn drawn(tape: &RunTape, (width, height): (u16, u16), look: Look) -> Buffer {
    let name = RunName {
        url: "http://127.0.0.1:8080/work?micros=1000".to_owned(),
        arrivals: "poisson 900/s:60s".to_owned(),
        slo: Some(0.2),
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| {
            let area = frame.area();
            draw_run(frame.buffer_mut(), area, tape, &name, look);
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

#[test]
fn an_overload_is_seen_in_every_part_of_a_run() {
    assert_is("run-100x30.txt", &plain_text(&drawn(&overloaded_run(40), (100, 30), Look::PLAIN)));
}

#[test]
fn a_run_on_a_terminal_without_unicode_is_ascii() {
    let ascii = Look { has_color: false, has_unicode: false };
    // The first seconds have left the screen.
    let text = plain_text(&drawn(&overloaded_run(75), (80, 24), ascii));
    assert!(text.is_ascii(), "{text}");
    assert_is("run-ascii-80x24.txt", &text);
}

#[test]
fn a_run_draws_at_any_size_and_without_a_second() {
    for size in [(1, 1), (9, 3), (20, 12), (21, 13), (80, 14), (300, 90)] {
        drawn(&overloaded_run(30), size, Look::PLAIN);
        let text = plain_text(&drawn(&RunTape::default(), size, Look::PLAIN));
        assert!(size.0 < 80 || text.contains("offered/s"), "{text}");
    }
}
