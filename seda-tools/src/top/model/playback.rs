//! Which second is shown: the newest, or one of the past.

use super::tape::Tape;

/// The fastest replay, in seconds of the past per second.
const FASTEST: u32 = 10;
/// The speeds of a replay.
const SPEEDS: [u32; 4] = [1, 2, 5, FASTEST];

/// The second that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Playback {
    /// Its end, in seconds since the graph began; `None`: always the newest.
    at: Option<f64>,
    /// True if a replay goes on by itself.
    is_playing: bool,
    /// Seconds of the past per second.
    speed: u32,
    /// True if the newest second is of now.
    is_live: bool,
}

impl Playback {
    /// Follows a running server; with `at`, it begins at that second of the past.
    pub(crate) fn live(at: Option<f64>) -> Self {
        Self { at, is_playing: false, speed: 1, is_live: true }
    }

    /// Plays a recorded history from its first second.
    pub(crate) fn from_start(tape: &Tape) -> Self {
        Self { at: Some(tape.at(0)), is_playing: true, speed: 1, is_live: false }
    }

    /// Stands at a second of a recorded history.
    pub(crate) fn stopped(at: f64) -> Self {
        Self { at: Some(at), is_playing: false, speed: 1, is_live: false }
    }

    /// Returns the end of the shown second; `None`: the newest.
    pub(crate) fn at(&self) -> Option<f64> {
        self.at
    }

    pub(crate) fn is_live(&self) -> bool {
        self.is_live
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.is_playing
    }

    pub(crate) fn speed(&self) -> u32 {
        self.speed
    }

    /// Stops, or goes on: a server at the newest second, a replay where it is, or from its start if
    /// it has ended.
    pub(crate) fn toggle(&mut self, tape: &Tape) {
        let end = tape.at(tape.last());
        match self.at {
            None => self.at = Some(end),
            Some(_) if self.is_live => self.at = None,
            Some(at) => {
                self.is_playing = !self.is_playing;
                if self.is_playing && at >= end {
                    self.at = Some(tape.at(0));
                }
            }
        }
    }

    /// Goes a number of seconds on, or back if it is negative, and stops there. Beyond the newest
    /// second a server is followed again.
    pub(crate) fn step(&mut self, seconds: isize, tape: &Tape) {
        self.is_playing = false;
        let index = self.at.map_or_else(|| tape.last(), |at| tape.index_at(at));
        let to = index.saturating_add_signed(seconds);
        if to > tape.last() {
            return self.end(tape);
        }
        if self.at.is_some() || seconds < 0 {
            self.at = Some(tape.at(to));
        }
    }

    /// Goes to the first second and stops there.
    pub(crate) fn start(&mut self, tape: &Tape) {
        (self.at, self.is_playing) = (Some(tape.at(0)), false);
    }

    /// Goes to the newest second.
    pub(crate) fn end(&mut self, tape: &Tape) {
        self.is_playing = false;
        self.at = (!self.is_live).then(|| tape.at(tape.last()));
    }

    /// Makes a replay faster or slower.
    pub(crate) fn change_speed(&mut self, is_faster: bool) {
        let now = SPEEDS.iter().position(|speed| *speed == self.speed).unwrap_or(0);
        let to = if is_faster { now + 1 } else { now.saturating_sub(1) };
        self.speed = SPEEDS.get(to).copied().unwrap_or(FASTEST);
    }

    /// Goes on with a replay after `elapsed` seconds, up to its end. Returns true if another second
    /// is shown.
    pub(crate) fn play(&mut self, elapsed: f64, tape: &Tape) -> bool {
        let (true, Some(at)) = (self.is_playing, self.at) else { return false };
        let end = tape.at(tape.last());
        let to = at + elapsed * f64::from(self.speed);
        self.is_playing = to < end;
        self.at = Some(to.min(end));
        tape.index_at(at) != tape.index_at(to.min(end)) || !self.is_playing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape() -> Tape {
        let seconds: Vec<_> = (11..=20).map(|at| serde_json::json!({ "at": at })).collect();
        Tape::of_history(serde_json::from_value(serde_json::json!({ "seconds": seconds })).unwrap())
    }

    #[test]
    fn a_replay_plays_to_its_end_and_begins_again() {
        let tape = tape();
        let mut playback = Playback::from_start(&tape);
        assert!(!playback.play(0.5, &tape), "the same second");
        assert!(playback.play(0.5, &tape));
        assert_eq!(playback.at(), Some(12.0));
        playback.change_speed(true);
        assert!(playback.play(60.0, &tape));
        assert_eq!((playback.at(), playback.is_playing()), (Some(20.0), false));
        assert!(!playback.play(1.0, &tape));
        playback.toggle(&tape);
        assert_eq!((playback.at(), playback.is_playing()), (Some(11.0), true));
    }

    #[test]
    fn steps_stay_within_the_seconds() {
        let tape = tape();
        let mut playback = Playback::stopped(20.0);
        for (steps, at) in [(1, 20.0), (-3, 17.0), (1, 18.0), (-99, 11.0), (99, 20.0)] {
            playback.step(steps, &tape);
            assert_eq!(playback.at(), Some(at), "{steps}");
        }
        playback.start(&tape);
        assert_eq!(playback.at(), Some(11.0));
        playback.end(&tape);
        assert_eq!(playback.at(), Some(20.0));
    }

    #[test]
    fn a_paused_server_is_followed_again_at_the_newest_second() {
        let tape = tape();
        let mut playback = Playback::live(None);
        playback.step(1, &tape);
        assert_eq!(playback.at(), None);
        playback.step(-1, &tape);
        assert_eq!(playback.at(), Some(19.0));
        playback.step(2, &tape);
        assert_eq!(playback.at(), None, "beyond the newest second");
        playback.toggle(&tape);
        assert_eq!(playback.at(), Some(20.0));
        playback.toggle(&tape);
        assert_eq!(playback.at(), None);
    }

    #[test]
    fn the_speed_has_bounds() {
        let mut playback = Playback::live(None);
        let faster: Vec<u32> = (0..5)
            .map(|_| {
                playback.change_speed(true);
                playback.speed()
            })
            .collect();
        assert_eq!(faster, [2, 5, 10, 10, 10]);
        (0..5).for_each(|_| playback.change_speed(false));
        assert_eq!(playback.speed(), 1);
    }
}
