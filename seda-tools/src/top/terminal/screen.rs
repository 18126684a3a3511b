//! The terminal in raw mode, and its way back at any end.

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use std::io::{self, BufWriter, Stdout, stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A frame of a large terminal has less; it is written at once.
const FRAME_BYTES: usize = 64 * 1024;

/// The terminal in raw mode, on its alternate screen. Dropping it gives the terminal back, and so
/// does a panic of its thread, before the message is printed.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    raw: Guard,
}

/// Gives the terminal back when it is dropped.
struct Guard(Raw);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.restore();
    }
}

/// Raw mode, the alternate screen, and the mouse.
#[derive(Clone, Default)]
struct Raw {
    /// True until the terminal is given back. A second time would move the cursor over the text
    /// that was printed in between.
    is_taken: Arc<AtomicBool>,
}

impl Raw {
    fn take(&self) -> io::Result<()> {
        enable_raw_mode()?;
        // From here on there is something to give back, also if the next step fails.
        self.is_taken.store(true, Ordering::SeqCst);
        execute!(stdout(), EnterAlternateScreen, EnableMouseCapture)
    }

    /// Gives the terminal back. A failure has no remedy: there is no terminal.
    fn restore(&self) {
        if self.is_taken.swap(false, Ordering::SeqCst) {
            let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
            let _ = disable_raw_mode();
        }
    }

    /// Makes a panic of this thread give the terminal back before its message is printed. Other
    /// threads panic as before: the screen goes on.
    fn restore_on_panic(&self) {
        let (raw, of_screen) = (self.clone(), thread::current().id());
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() == of_screen {
                raw.restore();
            }
            before(info);
        }));
    }
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn open() -> io::Result<Self> {
        let raw = Guard(Raw::default());
        raw.0.restore_on_panic();
        raw.0.take()?;
        let out = BufWriter::with_capacity(FRAME_BYTES, stdout());
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(out))?, raw })
    }

    /// Draws a frame in the size that the terminal has now, and returns what `draw` returns.
    pub(super) fn draw<T>(&mut self, draw: impl FnOnce(&mut Buffer, Rect) -> T) -> io::Result<T> {
        let mut drawn = None;
        self.terminal.draw(|frame| {
            let area = frame.area();
            drawn = Some(draw(frame.buffer_mut(), area));
        })?;
        drawn.ok_or_else(|| io::Error::other("the terminal drew no frame"))
    }

    /// Draws the next frame whole, whatever the terminal shows now.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Gives the terminal back, stops the process, and takes the terminal again when the shell
    /// continues it.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        self.raw.0.restore();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.raw.0.take()?;
        self.forget()
    }
}
