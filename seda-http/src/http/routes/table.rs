//! The route of a request by its method and path, matched once.

use super::error::RoutesError;
use super::path;
use http::{HeaderValue, Method};
use matchit::{InsertError, Params, Router};
use seda_core::SendOptions;
use std::time::Duration;

/// The methods that are known without a route, in the order of an Allow field.
const KNOWN: [Method; 8] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
    Method::OPTIONS,
    Method::TRACE,
];

/// The pattern of the only route of a server that has no table.
const ALL_PATHS: &str = "/{*path}";

/// All routes of a server. The reactors share it.
#[derive(Debug)]
pub(in crate::http) struct Table {
    /// `None`: the only route takes all requests.
    paths: Option<Paths>,
    routes: Vec<Route>,
    /// The patterns of the routes' paths.
    patterns: Vec<String>,
    /// By route: the first route with its pattern.
    counted_as: Vec<usize>,
    /// The methods that only a route makes known.
    extensions: Vec<Method>,
    /// All methods of all routes.
    allow: HeaderValue,
}

/// The paths of a table.
#[derive(Debug)]
struct Paths {
    entries: Vec<PathEntry>,
    /// The paths without parameters with their entries, in the order of their bytes. They go before
    /// all others, and finding one allocates nothing.
    fixed: Vec<(String, usize)>,
    /// All paths with their entries.
    router: Router<usize>,
}

/// A route as the table knows it.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Route {
    /// The options of its requests, before their parameters and their client are known.
    pub(in crate::http) options: SendOptions,
    pub(in crate::http) limits: BodyLimits,
}

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct BodyLimits {
    /// The most bytes.
    pub(in crate::http) bytes: usize,
    /// The longest time for the whole body; `None` for that of the settings.
    pub(in crate::http) time: Option<Duration>,
    /// The most bytes of a streamed body; `None` for one that is read whole.
    pub(in crate::http) streamed: Option<u64>,
}

/// The routes of one path.
#[derive(Debug, Default)]
struct PathEntry {
    /// The methods with their routes.
    methods: Vec<(Method, usize)>,
    /// The route of all other methods.
    any: Option<usize>,
    /// The value of Allow; `None` until the table is complete.
    allow: Option<HeaderValue>,
}

/// The route of a request, and the parameters of its path.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) number: usize,
    pub(super) route: &'a Route,
    pub(super) params: Params<'a, 'a>,
}

/// The reason why a request has no route.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unrouted {
    NotFound,
    /// No route of the path has the method; the value is that of Allow.
    NotAllowed(HeaderValue),
    /// OPTIONS, which no route has; the value is that of Allow.
    Options(HeaderValue),
    /// No route of the server has the method, and RFC 9110 neither.
    NotImplemented,
}

impl Table {
    /// Returns the table of a server with one entry.
    pub(in crate::http) fn of_one(route: Route) -> Self {
        Self {
            paths: None,
            routes: vec![route],
            patterns: vec![ALL_PATHS.to_owned()],
            counted_as: vec![0],
            extensions: Vec::new(),
            allow: HeaderValue::from_static(""),
        }
    }

    /// Makes a table of methods (`None` for all) with their paths and routes.
    pub(super) fn new(
        declared: &[(Option<&Method>, &str)],
        routes: Vec<Route>,
    ) -> Result<Self, RoutesError> {
        let mut entries: Vec<(&str, PathEntry)> = Vec::new();
        for (number, (method, path)) in declared.iter().enumerate() {
            let known = entries.iter().position(|(known, _)| known == path);
            let at = known.unwrap_or_else(|| {
                entries.push((path, PathEntry::default()));
                entries.len() - 1
            });
            if let Some((_, entry)) = entries.get_mut(at) {
                entry.declare(*method, number, path)?;
            }
        }
        let of_all = declared.iter().filter_map(|(method, _)| *method);
        let mut extensions: Vec<Method> = of_all.clone().cloned().collect();
        extensions.retain(|method| !KNOWN.contains(method));
        let takes_any = declared.iter().any(|(method, _)| method.is_none());
        let allow = allow(&of_all.collect::<Vec<_>>(), takes_any);
        let patterns: Vec<String> = declared.iter().map(|(_, path)| (*path).to_owned()).collect();
        let first = |pattern: &String| patterns.iter().position(|known| known == pattern);
        let counted_as = patterns.iter().filter_map(first).collect();
        let paths = Some(Paths::new(entries)?);
        Ok(Self { paths, routes, patterns, counted_as, extensions, allow })
    }

    /// Returns the pattern of each route's path, as it is declared.
    pub(in crate::http) fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Returns the number by which the requests of a route are counted: that of the first route
    /// with its pattern.
    pub(super) fn counted_as(&self, number: usize) -> usize {
        self.counted_as.get(number).copied().unwrap_or(number)
    }

    /// Returns true if a route has a method that RFC 9110 does not have.
    pub(in crate::http) fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Returns the most bytes of a body over all routes.
    pub(in crate::http) fn body_bytes_most(&self) -> usize {
        self.routes.iter().map(|route| route.limits.bytes).max().unwrap_or(0)
    }

    /// Returns true if a route streams its bodies to the program.
    pub(in crate::http) fn streams_bodies(&self) -> bool {
        self.routes.iter().any(|route| route.limits.streamed.is_some())
    }

    /// Returns the route of a request. A path is matched as the client wrote it, not decoded.
    pub(super) fn find<'a>(
        &'a self,
        method: &Method,
        path: &'a str,
    ) -> Result<Found<'a>, Unrouted> {
        let (number, params) = match &self.paths {
            None => (0, Params::new()),
            Some(paths) => match paths.find(path) {
                Some((entry, params)) => (self.number(entry, method)?, params),
                // The server as a whole (RFC 9110 §9.3.7).
                None if path == "*" && method == Method::OPTIONS => {
                    return Err(Unrouted::Options(self.allow.clone()));
                }
                None => return Err(Unrouted::NotFound),
            },
        };
        let route = self.routes.get(number).ok_or(Unrouted::NotFound)?;
        Ok(Found { number, route, params })
    }

    fn number(&self, entry: &PathEntry, method: &Method) -> Result<usize, Unrouted> {
        if let Some(number) = entry.route(method) {
            return Ok(number);
        }
        if !KNOWN.contains(method) && !self.extensions.contains(method) {
            return Err(Unrouted::NotImplemented);
        }
        let allow = entry.allow.clone().unwrap_or(HeaderValue::from_static(""));
        Err(match *method {
            Method::OPTIONS => Unrouted::Options(allow),
            _ => Unrouted::NotAllowed(allow),
        })
    }
}

impl Paths {
    fn new(paths: Vec<(&str, PathEntry)>) -> Result<Self, RoutesError> {
        let (mut entries, mut fixed, mut router) = (Vec::new(), Vec::new(), Router::new());
        for (number, (path, mut entry)) in paths.into_iter().enumerate() {
            entry.allow = Some(entry.allow());
            entries.push(entry);
            if !path.contains(['{', '}']) {
                fixed.push((path.to_owned(), number));
            }
            router.insert(path, number).map_err(|error| match error {
                InsertError::Conflict { with } => {
                    RoutesError::Conflict { path: path.to_owned(), with }
                }
                other => RoutesError::Path { path: path.to_owned(), fault: path::fault(&other) },
            })?;
        }
        fixed.sort_unstable();
        Ok(Self { entries, fixed, router })
    }

    fn find<'a>(&'a self, path: &'a str) -> Option<(&'a PathEntry, Params<'a, 'a>)> {
        let fixed = self.fixed.binary_search_by(|(known, _)| known.as_str().cmp(path));
        let (number, params) = match fixed {
            Ok(at) => (self.fixed.get(at)?.1, Params::new()),
            Err(_) => {
                let found = self.router.at(path).ok()?;
                (*found.value, found.params)
            }
        };
        Some((self.entries.get(number)?, params))
    }
}

impl PathEntry {
    fn declare(
        &mut self,
        method: Option<&Method>,
        number: usize,
        path: &str,
    ) -> Result<(), RoutesError> {
        let is_known = match method {
            None => self.any.replace(number).is_some(),
            Some(&Method::CONNECT) => {
                return Err(RoutesError::Connect { path: path.to_owned() });
            }
            Some(method) => {
                let is_known = self.methods.iter().any(|(known, _)| known == method);
                self.methods.push((method.clone(), number));
                is_known
            }
        };
        if is_known {
            let method = method.map_or("any method", Method::as_str).to_owned();
            return Err(RoutesError::Twice { method, path: path.to_owned() });
        }
        Ok(())
    }

    /// Returns the route of a method: its own, for HEAD that of GET, or that of all methods.
    fn route(&self, method: &Method) -> Option<usize> {
        let of = |method: &Method| {
            self.methods.iter().find(|(known, _)| known == method).map(|(_, number)| *number)
        };
        of(method)
            .or_else(|| (*method == Method::HEAD).then(|| of(&Method::GET)).flatten())
            .or(self.any)
    }

    fn allow(&self) -> HeaderValue {
        let methods: Vec<&Method> = self.methods.iter().map(|(method, _)| method).collect();
        allow(&methods, self.any.is_some())
    }
}

/// Returns the value of Allow (RFC 9110 §10.2.1): `methods` and those that follow from them.
fn allow(methods: &[&Method], takes_any: bool) -> HeaderValue {
    let has = |method: &Method| {
        takes_any
            || methods.contains(&method)
            || *method == Method::OPTIONS
            || *method == Method::HEAD && methods.contains(&&Method::GET)
    };
    let mut names: Vec<&str> =
        KNOWN.iter().filter(|method| has(method)).map(Method::as_str).collect();
    for method in methods.iter().map(|method| method.as_str()) {
        if !names.contains(&method) {
            names.push(method);
        }
    }
    let value = HeaderValue::from_str(&names.join(", "));
    debug_assert!(value.is_ok(), "a method is a token");
    value.unwrap_or(HeaderValue::from_static("OPTIONS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(declared: &[(&str, &str)]) -> Result<Table, RoutesError> {
        let methods: Vec<Option<Method>> = declared
            .iter()
            .map(|(method, _)| (*method != "*").then(|| method.parse().unwrap()))
            .collect();
        let declared: Vec<(Option<&Method>, &str)> = methods
            .iter()
            .zip(declared)
            .map(|(method, (_, path))| (method.as_ref(), *path))
            .collect();
        let limits = BodyLimits { bytes: 1, time: None, streamed: None };
        let route = Route { options: SendOptions::default(), limits };
        Table::new(&declared, vec![route; declared.len()])
    }

    fn found(table: &Table, method: &str, path: &str) -> Result<usize, Unrouted> {
        table.find(&method.parse().unwrap(), path).map(|found| found.number)
    }

    fn allowed(value: &'static str) -> HeaderValue {
        HeaderValue::from_static(value)
    }

    #[test]
    fn a_request_has_the_route_of_its_method_and_path() {
        let table = table(&[
            ("GET", "/users"),
            ("POST", "/users"),
            ("GET", "/users/{id}"),
            ("*", "/files/{*rest}"),
            ("GET", "/files/index"),
        ])
        .unwrap();
        assert_eq!(found(&table, "GET", "/users"), Ok(0));
        assert_eq!(found(&table, "POST", "/users"), Ok(1));
        assert_eq!(found(&table, "GET", "/users/7"), Ok(2));
        assert_eq!(found(&table, "DELETE", "/files/a/b"), Ok(3));
        assert_eq!(found(&table, "GET", "/files/index"), Ok(4), "a fixed segment goes first");
        for path in ["/", "/users/", "/users/7/", "/Users", "//users", "/files/", "*"] {
            assert_eq!(found(&table, "GET", path), Err(Unrouted::NotFound), "{path}");
        }
    }

    #[test]
    fn parameters_are_those_of_the_path_as_it_was_written() {
        let table = table(&[("GET", "/users/{id}/{*rest}")]).unwrap();
        let found = table.find(&Method::GET, "/users/a%2Fb/c/d").unwrap();
        let params: Vec<_> = found.params.iter().collect();
        assert_eq!(params, [("id", "a%2Fb"), ("rest", "c/d")]);
    }

    #[test]
    fn head_follows_get_unless_it_has_a_route_of_its_own() {
        let table = table(&[("GET", "/a"), ("GET", "/b"), ("HEAD", "/b"), ("POST", "/c")]).unwrap();
        assert_eq!(found(&table, "HEAD", "/a"), Ok(0));
        assert_eq!(found(&table, "HEAD", "/b"), Ok(2));
        let allow = Unrouted::NotAllowed(allowed("POST, OPTIONS"));
        assert_eq!(found(&table, "HEAD", "/c"), Err(allow));
    }

    #[test]
    fn options_and_other_methods_get_what_is_allowed() {
        let table = table(&[("GET", "/a"), ("PUT", "/a"), ("PURGE", "/b"), ("*", "/c")]).unwrap();
        let of_a = || allowed("GET, HEAD, PUT, OPTIONS");
        assert_eq!(found(&table, "OPTIONS", "/a"), Err(Unrouted::Options(of_a())));
        assert_eq!(found(&table, "DELETE", "/a"), Err(Unrouted::NotAllowed(of_a())));
        assert_eq!(found(&table, "PURGE", "/a"), Err(Unrouted::NotAllowed(of_a())));
        assert_eq!(found(&table, "QUERY", "/a"), Err(Unrouted::NotImplemented));
        let of_b = allowed("OPTIONS, PURGE");
        assert_eq!(found(&table, "GET", "/b"), Err(Unrouted::NotAllowed(of_b)));
        assert_eq!((found(&table, "OPTIONS", "/c"), found(&table, "QUERY", "/c")), (Ok(3), Ok(3)));
        let all = allowed("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS, TRACE, PURGE");
        assert_eq!(found(&table, "OPTIONS", "*"), Err(Unrouted::Options(all)));
        assert!(table.has_extensions());
    }

    #[test]
    fn a_conflict_names_both_paths() {
        for [first, second] in
            [["/users/{id}", "/users/{name}"], ["/{*rest}", "/{name}"], ["/a/{b}", "/a/{*b}"]]
        {
            let error = table(&[("GET", first), ("GET", second)]).unwrap_err();
            let RoutesError::Conflict { path, with } = error else { panic!("{error}") };
            assert_eq!([with.as_str(), path.as_str()], [first, second]);
        }
    }

    #[test]
    fn what_is_declared_wrongly_is_an_error() {
        let error = |declared: &[(&str, &str)]| table(declared).unwrap_err().to_string();
        assert_eq!(
            error(&[("GET", "/a"), ("GET", "/a")]),
            "GET `/a` is declared twice: a route has one stage; remove one of the two"
        );
        assert!(
            error(&[("*", "/a"), ("*", "/a")]).starts_with("any method `/a` is declared twice")
        );
        assert!(error(&[("CONNECT", "/a")]).contains("CONNECT"));
        for path in ["/{", "/{a}{b}", "/{*rest}/x", "/{}"] {
            assert!(error(&[("GET", path)]).starts_with("`"), "{path}");
        }
    }
}
