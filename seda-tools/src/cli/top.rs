//! `seda top`: a server's graph in the terminal.

use super::error::CliError;
use super::exit::Exit;
use super::{input, output, signals};
use crate::top::model::{Link, Page, Playback, State, Tape};
use crate::top::source::{Feed, Named, Server};
use crate::top::terminal::{Ended, Session};
use crate::top::view::{self, Look};
use clap::{Args, ValueEnum};
use ratatui::buffer::Buffer;
use ratatui::crossterm::terminal;
use ratatui::layout::Rect;
use std::env;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

/// The columns of a printed frame that no terminal bounds.
const WIDTH: u16 = 100;
/// The fewest columns that have room for all figures, and the most that have a use.
const WIDTH_LEAST: u16 = 80;
const WIDTH_MOST: u16 = 300;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TopFlags {
    /// The server, like http://127.0.0.1:8080, or the file of a saved report or history
    #[arg(value_name = "URL|FILE")]
    source: String,
    /// Walk through a history from its first second: that of a file, or of a server
    #[arg(long)]
    replay: bool,
    /// Print one frame as plain text
    #[arg(long)]
    once: bool,
    /// Begin with the second at this time since the graph began, like 90s
    #[arg(long, value_name = "TIME", value_parser = input::pause)]
    at: Option<Duration>,
    /// Begin with this table
    #[arg(long, value_name = "TABLE", value_enum, default_value_t = Shown::Stages)]
    show: Shown,
}

/// A table.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shown {
    Stages,
    Classes,
    Edges,
}

const EXAMPLES: &str =
    "Keys: ? shows them all; q ends, space stops, left and right go through the \
    past, s sorts, 1 to 3 show stages, classes and edges. NO_COLOR=1 turns colours off.

Examples:
  seda top http://127.0.0.1:8080
  seda top --once http://127.0.0.1:8080 --show classes
  curl -o history.json 'http://127.0.0.1:8080/_seda/history?seconds=600'
  seda top --replay history.json
  seda top --once --at 90s history.json";

/// Runs the command.
pub(super) fn top(flags: &TopFlags) -> Result<Exit, CliError> {
    if !flags.once && !has_screen() {
        return Err(CliError::NoScreen);
    }
    let (session, server) = open(flags)?;
    if flags.once {
        output::print(&frame(&session.tape, &session.state, session.look))?;
        return Ok(Exit::Success);
    }
    let stop = signals::stop_on_signal().map_err(CliError::Signals)?;
    let feed = server.map(Feed::start).transpose().map_err(CliError::Screen)?;
    match (Session { feed, ..session }).run(&stop).map_err(CliError::Screen)? {
        Ended::Quit => Ok(Exit::Success),
        Ended::Interrupted => Ok(Exit::Interrupted),
    }
}

/// Returns true if standard output is a terminal that can move its cursor.
pub(super) fn has_screen() -> bool {
    stdout().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Reads the source; a running server is returned, too.
fn open(flags: &TopFlags) -> Result<(Session, Option<Server>), CliError> {
    let named = Named::open(&flags.source, flags.replay)?;
    let file = || flags.source.clone();
    let (tape, name, link, server) = match named {
        Named::Live { server, report, minute } => {
            (Tape::live(report, minute), server.name(), Link::Up, Some(server))
        }
        Named::Recorded(history) => (Tape::of_history(history), file(), Link::File, None),
        Named::Saved(report) => (Tape::of_report(report), file(), Link::File, None),
    };
    let at = flags.at.map(|at| second_at(at, &tape)).transpose()?;
    let playback = match (&server, at) {
        (Some(_), at) => Playback::live(at),
        (None, Some(at)) => Playback::stopped(at),
        (None, None) if flags.replay && !flags.once => Playback::from_start(&tape),
        (None, None) => Playback::stopped(tape.at(tape.last())),
    };
    let mut state = State::new(name, link, playback);
    state.is_printed = flags.once;
    state.page = match flags.show {
        Shown::Stages => Page::Stages,
        Shown::Classes => Page::Classes,
        Shown::Edges => Page::Edges,
    };
    let look = Look::of_environment(|name| env::var(name).ok());
    Ok((Session { tape, state, feed: None, look }, server))
}

/// Returns the end of the second at a time.
fn second_at(at: Duration, tape: &Tape) -> Result<f64, CliError> {
    let wanted = at.as_secs_f64();
    let (first, last) = (tape.at(0), tape.at(tape.last()));
    // A second that ends a little later has been going on for most of the time.
    let is_known = wanted.ceil() >= first.floor() && wanted.floor() <= last.ceil();
    let index = tape.index_at(wanted);
    let known = || CliError::NotKept { at, first, last };
    is_known.then(|| tape.at(index)).ok_or_else(known)
}

/// Returns one frame as text, with all rows.
fn frame(tape: &Tape, state: &State, look: Look) -> String {
    let width = match terminal::size() {
        Ok((columns, _)) if stdout().is_terminal() => columns,
        _ => WIDTH,
    };
    let width = width.clamp(WIDTH_LEAST, WIDTH_MOST);
    let height = view::height_of_all(tape, state, width, look);
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buffer.area;
    view::draw(&mut buffer, area, tape, state, look);
    format!("{}\n", view::plain_text(&buffer).trim_end())
}
