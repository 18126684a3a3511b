//! The load of a spec, and the same spec at another load.

use super::Spec;
use super::error::SpecError;
use super::process::Process;

impl Spec {
    /// Returns the mean number of requests per second, of all classes. Of a profile it is the last
    /// rate; of a closed loop it is unknown and counts as 0.
    pub fn mean_rate(&self) -> f64 {
        let own: f64 = self.classes.iter().filter_map(|class| class.rate).sum();
        self.arrivals.mean_rate() + own
    }

    /// Returns the same spec with a mean of `rate` requests per second. Bursts and a trace keep
    /// their shape, classes keep their shares, and a profile becomes its last rate.
    ///
    /// # Errors
    /// There is no rate to multiply: in a closed loop, after a profile that ends with the rate 0,
    /// and with a trace of no length.
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
        Err(self.without_rate())
    }

    /// Returns the error of a load that has no rate to multiply.
    fn without_rate(&self) -> SpecError {
        if self.client.clients > 0 {
            let allowed = "0: only a rate can be multiplied";
            return SpecError::value("client.clients", self.client.clients, allowed);
        }
        if let Some(profile) = &self.arrivals.profile {
            let allowed = "one that ends in a rate, which is multiplied";
            return SpecError::value("arrivals.profile", profile, allowed);
        }
        if self.arrivals.process == Process::Trace {
            return SpecError::value("arrivals.trace", "0 seconds long", "longer than 0 seconds");
        }
        SpecError::value("arrivals.rate", "0", "above 0, to be multiplied")
    }

    /// Returns the same spec with all rates multiplied by `factor`. A trace is played `factor`
    /// times as fast and then repeats.
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
