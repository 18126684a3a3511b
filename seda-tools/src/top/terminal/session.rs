//! The loop: events of the terminal, news of the server, frames.

use super::keys;
use super::screen::Screen;
use crate::generator::Stop;
use crate::top::model::{Command, Link, Places, State, Tape};
use crate::top::source::{Feed, News};
use crate::top::view::{self, Look};
use ratatui::crossterm::event;
use seda_core::{Clock, MonotonicClock, Time};
use std::io;
use std::time::Duration;

/// The longest time between two looks for changes: ten frames a second at most.
const TICK: Duration = Duration::from_millis(100);

/// The longest step of a replay, in seconds: a process that was suspended does not jump.
const LONGEST_STEP: f64 = 0.5;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By its key.
    Quit,
    /// By Ctrl-C or a signal.
    Interrupted,
}

/// The shown seconds, and their source.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) tape: Tape,
    pub(crate) state: State,
    /// The polls of a running server; `None` for a file.
    pub(crate) feed: Option<Feed>,
    pub(crate) look: Look,
}

impl Session {
    /// Shows frames until the user or a signal ends it.
    pub(crate) fn run(mut self, stop: &Stop) -> io::Result<Ended> {
        let clock = MonotonicClock::new();
        let mut screen = Screen::open()?;
        let mut places = Places::default();
        let (mut answered, mut played) = (clock.now(), clock.now());
        let mut is_changed = true;
        loop {
            // 1. Draw, if there is something new.
            if std::mem::take(&mut is_changed) {
                let Self { tape, state, look, .. } = &self;
                places =
                    screen.draw(|buffer, area| view::draw(buffer, area, tape, state, *look))?;
                self.state.settle(&places);
            }
            // 2. Wait for the user, but no longer than a frame.
            let mut wait = TICK;
            while event::poll(wait)? {
                wait = Duration::ZERO;
                let Some(command) = keys::command(&event::read()?) else { continue };
                is_changed = true;
                match command {
                    Command::Quit => return Ok(Ended::Quit),
                    Command::Interrupt => return Ok(Ended::Interrupted),
                    Command::Suspend => screen.suspend()?,
                    Command::Redraw => screen.forget()?,
                    command => self.state.apply(command, &places, &self.tape),
                }
            }
            if stop.is_wanted() {
                return Ok(Ended::Interrupted);
            }
            // 3. Take what the server has said, and go on with a replay.
            let now = clock.now();
            is_changed |= self.take_news(now, &mut answered);
            let elapsed = now.since(played).as_secs_f64().min(LONGEST_STEP);
            is_changed |= self.state.playback.play(elapsed, &self.tape);
            played = now;
        }
    }

    /// Takes what the feed has found; `answered` is the time of the last report. Returns true if
    /// there was something.
    fn take_news(&mut self, now: Time, answered: &mut Time) -> bool {
        let mut is_changed = false;
        for news in self.feed.iter().flat_map(Feed::news) {
            is_changed = true;
            match news {
                News::Report(report) => {
                    self.tape.push(report);
                    self.state.link = Link::Up;
                    *answered = now;
                }
                News::Minute(minute) => self.tape.refill(minute),
                News::Broken(reason) => {
                    let seconds = now.since(*answered).as_secs_f64();
                    self.state.link = Link::Broken { seconds, reason };
                }
            }
        }
        is_changed
    }
}
