//! All series of a server.

use super::label::{RouteLabel, SeriesKey};
use super::series::Series;
use parking_lot::Mutex;
use seda_admin::RequestTimes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most series of a server, beside that of the others. A series takes 200 bytes on a reactor
/// and 3 KB of a scrape. Fifty routes with two methods, two classes and five statuses have 1,000.
const SERIES_MOST: usize = 1_024;

/// The series of a server, each with its part on every reactor that has recorded in it.
#[derive(Debug)]
pub(in crate::http) struct TimeRegistry {
    /// The patterns of the routes, by their numbers.
    routes: Vec<String>,
    /// The lock guards the map. Reactors take it at the first request of a series alone.
    series: Mutex<BTreeMap<SeriesKey, Vec<Arc<Series>>>>,
}

impl TimeRegistry {
    pub(in crate::http) fn new(routes: Vec<String>) -> Self {
        Self { routes, series: Mutex::default() }
    }

    /// Returns a new part of a series; `None` if there are too many series.
    pub(super) fn open(&self, key: SeriesKey) -> Option<Arc<Series>> {
        let mut series = self.series.lock();
        let has_room = series.len() < SERIES_MOST || key == SeriesKey::other();
        if !has_room && !series.contains_key(&key) {
            return None;
        }
        let part = Arc::new(Series::new());
        series.entry(key).or_default().push(Arc::clone(&part));
        Some(part)
    }

    /// Returns the times of all series since the server began.
    pub(in crate::http) fn read(&self) -> Vec<RequestTimes> {
        let series = self.series.lock();
        series.iter().map(|(key, parts)| self.times(key, parts)).collect()
    }

    fn times(&self, key: &SeriesKey, parts: &[Arc<Series>]) -> RequestTimes {
        let mut times = RequestTimes::new(self.route(key.route), key.method.as_str());
        times.class = key.class;
        times.status = (key.status > 0).then_some(key.status);
        parts.iter().for_each(|part| part.add_to(&mut times));
        times
    }

    fn route(&self, route: RouteLabel) -> &str {
        match route {
            RouteLabel::Unmatched => "unmatched",
            RouteLabel::Admin => "admin",
            RouteLabel::Other => "other",
            RouteLabel::Route(number) => {
                let known = usize::try_from(number).ok().and_then(|number| self.routes.get(number));
                debug_assert!(known.is_some(), "every route has a pattern");
                known.map_or("other", String::as_str)
            }
        }
    }
}
