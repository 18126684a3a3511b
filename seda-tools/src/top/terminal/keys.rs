//! Keys and the mouse as commands.

use crate::top::model::{Command, Page, Sort};
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// The rows of one notch of the wheel.
const NOTCH: isize = 3;
/// The seconds of one page key of a replay.
const MANY: isize = 10;

/// Returns what an event of the terminal asks for; `None` if nothing.
pub(super) fn command(event: &Event) -> Option<Command> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => of_key(*key),
        Event::Mouse(mouse) => of_mouse(*mouse),
        Event::Resize(..) => Some(Command::Redraw),
        _ => None,
    }
}

fn of_key(key: KeyEvent) -> Option<Command> {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Command::Interrupt),
            KeyCode::Char('z') => Some(Command::Suspend),
            KeyCode::Char('l') => Some(Command::Redraw),
            _ => None,
        };
    }
    let has_shift = key.modifiers.contains(KeyModifiers::SHIFT);
    let seconds = if has_shift { MANY } else { 1 };
    Some(match key.code {
        KeyCode::Char('q') => Command::Quit,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => Command::Help,
        KeyCode::Esc => Command::Back,
        KeyCode::Char('1') => Command::Show(Page::Stages),
        KeyCode::Char('2' | 'c') => Command::Show(Page::Classes),
        KeyCode::Char('3' | 'e') => Command::Show(Page::Edges),
        KeyCode::Char('v') => Command::NextPage,
        KeyCode::Char('s') => Command::NextSort,
        KeyCode::Char('S') => Command::PreviousSort,
        KeyCode::Char('f') => Command::Sort(Sort::Flow),
        KeyCode::Tab => Command::Focus,
        KeyCode::Up | KeyCode::Char('k') => Command::Rows(-1),
        KeyCode::Down | KeyCode::Char('j') => Command::Rows(1),
        KeyCode::PageUp => Command::Screens(-1),
        KeyCode::PageDown => Command::Screens(1),
        KeyCode::Char('g') => Command::Top,
        KeyCode::Char('G') => Command::Bottom,
        KeyCode::Char(' ') => Command::Pause,
        KeyCode::Left => Command::Seconds(-seconds),
        KeyCode::Right => Command::Seconds(seconds),
        KeyCode::Home => Command::Start,
        KeyCode::End => Command::End,
        KeyCode::Char('+' | '=') => Command::Faster,
        KeyCode::Char('-') => Command::Slower,
        _ => return None,
    })
}

fn of_mouse(mouse: MouseEvent) -> Option<Command> {
    let MouseEvent { kind, column, row, .. } = mouse;
    match kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Command::Click { column, row }),
        MouseEventKind::ScrollUp => Some(Command::Scroll { row, by: -NOTCH }),
        MouseEventKind::ScrollDown => Some(Command::Scroll { row, by: NOTCH }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Command> {
        command(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn keys_are_commands() {
        let none = KeyModifiers::NONE;
        assert_eq!(key(KeyCode::Char('q'), none), Some(Command::Quit));
        assert_eq!(key(KeyCode::Char(' '), none), Some(Command::Pause));
        assert_eq!(key(KeyCode::Left, none), Some(Command::Seconds(-1)));
        assert_eq!(key(KeyCode::Right, KeyModifiers::SHIFT), Some(Command::Seconds(MANY)));
        assert_eq!(key(KeyCode::Char('S'), KeyModifiers::SHIFT), Some(Command::PreviousSort));
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Command::Interrupt));
        assert_eq!(key(KeyCode::Char('q'), KeyModifiers::CONTROL), None);
        assert_eq!(key(KeyCode::Char('x'), none), None);
    }

    #[test]
    fn a_key_that_is_released_does_nothing() {
        let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(command(&Event::Key(released)), None);
    }

    #[test]
    fn the_mouse_selects_and_scrolls() {
        let mouse = |kind| {
            let at = MouseEvent { kind, column: 4, row: 7, modifiers: KeyModifiers::NONE };
            command(&Event::Mouse(at))
        };
        let click = Command::Click { column: 4, row: 7 };
        assert_eq!(mouse(MouseEventKind::Down(MouseButton::Left)), Some(click));
        let scroll = Command::Scroll { row: 7, by: NOTCH };
        assert_eq!(mouse(MouseEventKind::ScrollDown), Some(scroll));
        assert_eq!(mouse(MouseEventKind::Moved), None);
    }
}
