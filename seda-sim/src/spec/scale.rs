//! The same load, more or less of it.

use super::Spec;
use super::arrivals::Process;
use super::check::SpecError;

impl Spec {
    /// Requests per second on the average, of all classes; of a profile in its last part. None are
    /// known of a closed loop.
    pub fn mean_rate(&self) -> f64 {
        let own: f64 = self.classes.iter().filter_map(|class| class.rate).sum();
        self.arrivals.mean_rate() + own
    }

    /// The same spec with `rate` requests per second on the average, spread as before: a profile
    /// has the one rate, bursts and a trace keep their shape, classes their shares.
    ///
    /// # Errors
    /// It has no rate that could be multiplied: a closed loop, a profile that ends in silence, a
    /// trace that is over at once.
    pub fn at_rate(&self, rate: f64) -> Result<Self, SpecError> {
        let mut spec = self.clone();
        if spec.arrivals.profile.is_some() {
            spec.arrivals.rate = spec.arrivals.rates()?.last().map(|last| last.rate);
            spec.arrivals.profile = None;
        }
        let mean = spec.mean_rate();
        if mean > 0.0 {
            return Ok(spec.scaled(rate / mean));
        }
        let (key, value, allowed) = match &self.arrivals.profile {
            _ if self.client.clients > 0 => {
                ("client.clients", self.client.clients.to_string(), "0: a multiple is of a rate")
            }
            Some(profile) => (
                "arrivals.profile",
                profile.clone(),
                "one that ends in a rate, which is multiplied",
            ),
            None if self.arrivals.process == Process::Trace => {
                ("arrivals.trace", "0 seconds long".to_owned(), "more than nothing")
            }
            None => ("arrivals.rate", "0".to_owned(), "above 0, to be multiplied"),
        };
        Err(SpecError::value(key, value, allowed))
    }

    /// The same spec with its arrivals multiplied: rates by `factor`; a trace is so many times
    /// faster, and begins anew when it has ended.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut spec = self.clone();
        spec.arrivals.scale(factor);
        for rate in spec.classes.iter_mut().filter_map(|class| class.rate.as_mut()) {
            *rate *= factor;
        }
        spec
    }
}
