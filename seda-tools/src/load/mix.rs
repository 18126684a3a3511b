//! Requests that are drawn by weight.

use crate::h1::{self, is_origin_form};
use crate::load::arrivals::unit;
use crate::load::trace::Target;
use http::{HeaderName, HeaderValue, Method};
use rand_core::RngCore;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The highest weight. A draw has 53 bits: a share of one in a billion is exact, and a far smaller
/// share would never be drawn.
pub const MAX_WEIGHT: f64 = 1_000_000_000.0;

/// Requests that are drawn by weight: written as entries separated by commas, such as
/// `/work?micros=1000=9,POST /form=0.5,/=1`.
///
/// An entry is a path with its query, optionally after a method, and before `=` and a weight. A
/// number after the name of the last query parameter is the value of that parameter: in
/// `/work?micros=1000=9` the weight is nine. Behind a parameter without a value, such as `/x?a`,
/// the weight follows an empty value: `/x?a==9`.
///
/// Headers of an entry stand before it, in braces: `{priority: u=0} /work?micros=1000=1`.
///
/// A path begins with `/` and is written as it is sent; other characters are percent-encoded, a
/// comma as `%2C`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    choices: Vec<Choice>,
    /// The sum of the weights up to and including each choice.
    sums: Vec<f64>,
}

/// One request of a mix.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The weight: above 0, up to [`MAX_WEIGHT`].
    pub weight: f64,
    /// The request; its right answer is unknown.
    pub target: Target,
    /// Headers beside those of all requests; they replace headers of the same name.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// True if the entry names its method; others take that of [`Mix::with_method`].
    pub names_method: bool,
}

impl Mix {
    /// Returns the requests in the written order: at least one.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// Returns the mix with this method for the entries that name none; they have GET before.
    #[must_use]
    pub fn with_method(mut self, method: &Method) -> Self {
        for choice in self.choices.iter_mut().filter(|choice| !choice.names_method) {
            choice.target.method = method.clone();
        }
        self
    }

    /// Draws a request and returns its index. Takes one number of `rng` and a binary search.
    pub fn draw(&self, rng: &mut impl RngCore) -> usize {
        // A parsed mix has at least one choice.
        let point = unit(rng) * self.sums.last().copied().unwrap_or(0.0);
        let index = self.sums.partition_point(|sum| *sum <= point);
        // The product may be rounded up to the sum.
        index.min(self.choices.len().saturating_sub(1))
    }

    fn new(choices: Vec<Choice>) -> Self {
        let sums = choices.iter().scan(0.0, |sum, choice| {
            *sum += choice.weight;
            Some(*sum)
        });
        Self { sums: sums.collect(), choices }
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, choice) in self.choices.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            write!(f, "{choice}={}", choice.weight)?;
        }
        Ok(())
    }
}

/// Writes the choice as in a mix, without the weight: "{priority: u=0} POST /form".
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.headers {
            write!(f, "{{{name}: {}}} ", String::from_utf8_lossy(value.as_bytes()))?;
        }
        if self.names_method || self.target.method != Method::GET {
            write!(f, "{} ", self.target.method)?;
        }
        f.write_str(&self.target.path)
    }
}

/// Why a text is not a mix. Each variant names the entry as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MixError {
    /// There is no entry, or an empty one.
    #[error(
        "`{0}` has an empty entry: write paths with weights, such as `/work?micros=1000=9,/=1`"
    )]
    Empty(String),
    /// There is no weight.
    #[error("`{0}` has no weight: write a number behind it, such as `{0}=1`")]
    NoWeight(String),
    /// The weight is not a number, or is out of its bounds.
    #[error(
        "the weight in `{0}` is not above 0, up to {MAX_WEIGHT}: write such a number behind the \
         last `=`; if the text there belongs to the path, add `=1`"
    )]
    Weight(String),
    /// A semicolon stands between two entries.
    #[error("`{0}` has two entries with `;` between them: separate entries by commas")]
    Semicolon(String),
    /// The method is not one.
    #[error("the method in `{0}` is not one: write it in capital letters, such as `POST /x=2`")]
    Method(String),
    /// A header is not one, or an entry must not set it.
    #[error(
        "the headers in `{0}` are not allowed: write them like `{{priority: u=0}} /x=2`, each in \
         its own braces; headers that frame the message are set by the generator"
    )]
    Header(String),
    /// The path cannot be sent.
    #[error(
        "the path in `{0}` cannot be sent: it must begin with `/`; write blanks, control characters \
         and others that may not stand in a path like `%20`"
    )]
    Path(String),
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut choices = Vec::new();
        for entry in entries(text) {
            let entry = entry.trim();
            let (headers, rest) = split_headers(entry)?;
            if rest.is_empty() {
                return Err(MixError::Empty(text.to_owned()));
            }
            if rest.split(';').skip(1).any(|next| next.trim_start().starts_with(['/', '{'])) {
                return Err(MixError::Semicolon(entry.to_owned()));
            }
            let (request, weight) = split_weight(rest)?;
            let (target, names_method) = target(request, entry)?;
            choices.push(Choice { weight, target, headers, names_method });
        }
        Ok(Self::new(choices))
    }
}

/// Splits a mix at the commas outside of braces.
fn entries(text: &str) -> Vec<&str> {
    let mut in_braces = false;
    text.split(|letter: char| {
        in_braces = if in_braces { letter != '}' } else { letter == '{' };
        letter == ',' && !in_braces
    })
    .collect()
}

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Splits an entry into its headers and the rest.
fn split_headers(entry: &str) -> Result<(Headers, &str), MixError> {
    let (mut found, mut rest) = (Vec::new(), entry);
    while let Some(opened) = rest.strip_prefix('{') {
        let Some((header, after)) = opened.split_once('}') else {
            return Err(MixError::Header(entry.to_owned()));
        };
        found.push(h1::header(header).map_err(|_| MixError::Header(entry.to_owned()))?);
        rest = after.trim_start();
    }
    Ok((found, rest))
}

/// Splits an entry into the request and its weight.
fn split_weight(entry: &str) -> Result<(&str, f64), MixError> {
    let Some((request, last)) = entry.rsplit_once('=') else {
        return Err(MixError::NoWeight(entry.to_owned()));
    };
    match last.trim().parse::<f64>() {
        Ok(_) if ends_in_a_parameter(request) => Err(MixError::NoWeight(entry.to_owned())),
        Ok(weight) if weight > 0.0 && weight <= MAX_WEIGHT => Ok((request, weight)),
        // `/x?q=a` has a value and no weight.
        Err(_) if request.contains('?') => Err(MixError::NoWeight(entry.to_owned())),
        _ => Err(MixError::Weight(entry.to_owned())),
    }
}

/// Returns true if the request ends in a query parameter without a value.
fn ends_in_a_parameter(request: &str) -> bool {
    let parameter = request.split_once('?').and_then(|(_, query)| query.rsplit('&').next());
    parameter.is_some_and(|parameter| !parameter.is_empty() && !parameter.contains('='))
}

/// Parses the method and the path of `entry`; returns whether it names a method, too.
fn target(request: &str, entry: &str) -> Result<(Target, bool), MixError> {
    let (named, path) = match request.split_once(' ') {
        Some((method, path)) if !request.starts_with('/') => (Some(method), path.trim_start()),
        _ => (None, request),
    };
    let name = named.unwrap_or("GET");
    let is_capital = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let method = match Method::from_bytes(name.as_bytes()) {
        Ok(method) if is_capital => method,
        _ => return Err(MixError::Method(entry.to_owned())),
    };
    if !is_origin_form(path) {
        return Err(MixError::Path(entry.to_owned()));
    }
    Ok((Target { method, ..Target::get(path.to_owned()) }, named.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn written(text: &str) -> Result<String, MixError> {
        text.parse::<Mix>().map(|mix| mix.to_string())
    }

    fn error(text: &str) -> String {
        written(text).unwrap_err().to_string()
    }

    #[test]
    fn the_last_number_of_an_entry_is_its_weight() {
        for (text, expected) in [
            ("/=3", "/=3"),
            ("/work?micros=1000=9,/=1", "/work?micros=1000=9,/=1"),
            ("/x?q=a=1, POST /x=0.5 ,GET /y=1e3", "/x?q=a=1,POST /x=0.5,GET /y=1000"),
            ("/x?a=1&b=0=2", "/x?a=1&b=0=2"),
            ("/x?a==2", "/x?a==2"),
            ("/x?=2", "/x?=2"),
            ("/x;v=2=1", "/x;v=2=1"),
        ] {
            assert_eq!(written(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_entry_without_a_weight_is_refused() {
        for text in ["/", "/a,/b=1", "/work?micros=1000", "/x?a=1&b=c", "/x?a", "/x?a=1&b=0"] {
            let entry = text.split(',').next().unwrap();
            let expected = format!("`{entry}` has no weight: write a number behind it");
            assert!(error(text).starts_with(&expected), "{}", error(text));
        }
    }

    #[test]
    fn a_method_of_the_run_is_that_of_the_entries_that_name_none() {
        let mix: Mix = "/a=1,GET /b=1,PUT /c=1".parse().unwrap();
        let mix = mix.with_method(&Method::POST);
        let methods: Vec<_> = mix.choices().iter().map(|choice| &choice.target.method).collect();
        assert_eq!(methods, [Method::POST, Method::GET, Method::PUT]);
    }

    #[test]
    fn an_error_names_the_entry_and_what_is_allowed() {
        for empty in ["", " ", "/=1,", ",/=1", "/=1,,/=1"] {
            assert!(error(empty).contains("has an empty entry"), "{empty}");
        }
        for weight in ["0", "-1", "NaN", "inf", "1e10", "-0", "zero", ""] {
            let error = error(&format!("/a=1,/b={weight}"));
            assert!(
                error.contains(&format!("the weight in `/b={weight}` is not above 0")),
                "{error}"
            );
        }
        for path in ["x=1", "=2", "http://host/=1", "/a b=1", "/a\u{7}=1", "/é=1", "/a#b=1"] {
            assert!(error(path).contains(&format!("the path in `{path}`")), "{path}");
        }
        for path in ["/%zz=1", "POST x=2"] {
            assert!(error(path).contains(&format!("the path in `{path}`")), "{path}");
        }
        for method in ["post /x=1", "G@T /x=2", " é /=1"] {
            assert!(error(method).contains("the method in `"), "{method}");
        }
        for semicolon in ["/a=1;/b=2", "/a=1; /b=2", "/a=1;{x: 1} /b=2"] {
            assert!(error(semicolon).contains("separate entries by commas"), "{semicolon}");
        }
    }

    #[test]
    fn headers_of_an_entry_stand_before_it_and_may_have_commas() {
        let text = "{priority: u=0, i} {x: 1} /a=1,/a=9,{x: 2} POST /b=0.5";
        assert_eq!(written(text).as_deref(), Ok(text));
        let mix: Mix = text.parse().unwrap();
        let counts: Vec<usize> = mix.choices().iter().map(|choice| choice.headers.len()).collect();
        assert_eq!(counts, [2, 0, 1]);
        for wrong in ["{x: 1 /a", "{x} /a", "{} /a", "{content-length: 5} /a", "{x: \u{7}} /a=1"] {
            assert!(error(wrong).contains("the headers in `{"), "{wrong}");
        }
        assert!(error("{x: 1}").contains("has an empty entry"));
    }

    #[test]
    fn requests_are_drawn_by_weight() {
        let mix: Mix = "/a=9,/b=1,/c=0.5,/d=89.5".parse().unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut drawn = [0u32; 4];
        for _ in 0..100_000 {
            drawn[mix.draw(&mut rng)] += 1;
        }
        for (drawn, percent) in drawn.into_iter().zip([9.0, 1.0, 0.5, 89.5]) {
            let share = percent / 100.0;
            let deviation = f64::sqrt(100_000.0 * share * (1.0 - share));
            let expected = 100_000.0 * share;
            assert!(
                (f64::from(drawn) - expected).abs() < 4.0 * deviation,
                "{drawn} of {percent} %"
            );
        }
    }

    #[test]
    fn a_seed_determines_the_draws() {
        let mix: Mix = "/a=2,/b=1,/c=1".parse().unwrap();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let drawn: Vec<usize> = (0..8).map(|_| mix.draw(&mut rng)).collect();
        assert_eq!(drawn, [2, 1, 0, 1, 0, 1, 2, 1]);
    }

    proptest! {
        #[test]
        fn a_mix_is_read_as_it_is_written(text in "(\\{[a-c]: [a-c=,1]{0,5}\\} )?(POST )?/[a-c?=&1,./]{0,20}") {
            if let Ok(mix) = text.parse::<Mix>() {
                prop_assert_eq!(mix.to_string().parse(), Ok(mix));
            }
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in ".*") {
            if let Ok(mix) = text.parse::<Mix>() {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(0);
                prop_assert!(mix.draw(&mut rng) < mix.choices().len());
            }
        }
    }
}
