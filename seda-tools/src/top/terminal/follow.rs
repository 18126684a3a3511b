//! The screen of a run of load, while it lasts.

use super::keys;
use super::screen::Screen;
use crate::generator::{Observer, Progress, Stop};
use crate::top::model::{Command, Phase, RunName, RunTape};
use crate::top::view::{self, Look};
use ratatui::crossterm::event;
use std::io::{self, Write};
use std::time::Duration;

/// Shows a run on the terminal. The run asks for a frame ten times a second; it goes on without the
/// screen if the terminal fails.
pub(crate) struct RunScreen {
    /// `None` before the run, after it, and once the terminal has failed.
    screen: Option<Screen>,
    tape: RunTape,
    name: RunName,
    stop: Stop,
    look: Look,
}

impl RunScreen {
    /// Makes a screen that is opened when the run begins; its keys ask `stop`.
    pub(crate) fn new(name: RunName, stop: Stop, look: Look) -> Self {
        Self { screen: None, tape: RunTape::default(), name, stop, look }
    }

    fn frame(&mut self) -> io::Result<()> {
        let Some(screen) = &mut self.screen else { return Ok(()) };
        // 1. The keys.
        while event::poll(Duration::ZERO)? {
            match keys::command(&event::read()?) {
                Some(Command::Quit | Command::Interrupt) => self.stop.ask(),
                Some(Command::Suspend) => screen.suspend()?,
                Some(Command::Redraw) => screen.forget()?,
                _ => {}
            }
        }
        if self.stop.is_wanted() {
            self.tape.phase = Phase::Stopping;
        }
        // 2. The frame.
        let Self { tape, name, look, .. } = self;
        screen.draw(|buffer, area| view::draw_run(buffer, area, tape, name, *look))
    }

    /// Gives the terminal back, and says why.
    fn fail(&mut self, error: &io::Error) {
        self.screen = None;
        let line = format!("warning: the terminal fails ({error}); the run goes on without it\n");
        // Without a terminal there is no other place to tell.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

impl Observer for RunScreen {
    fn begins(&mut self, _label: &str) {
        match Screen::open() {
            Ok(screen) => self.screen = Some(screen),
            Err(error) => self.fail(&error),
        }
    }

    fn progress(&mut self, progress: &Progress) {
        self.tape.take(progress);
        if let Err(error) = self.frame() {
            self.fail(&error);
        }
    }

    fn measuring(&mut self) {
        self.tape.phase = Phase::Measured;
    }

    fn measured(&mut self) {
        self.tape.phase = Phase::CoolDown;
    }

    fn ends(&mut self) {
        self.screen = None;
    }
}
