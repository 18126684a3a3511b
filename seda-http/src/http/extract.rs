//! A request's query and body as typed values.

use super::request::HttpRequest;
use super::responses::{self, ErrorResponse};
use crate::reactor::Body;
use http::{HeaderMap, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::error::Category;
use thiserror::Error;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The reason why a query or a body is not the expected value.
///
/// It turns into a ready response, with one line that names the fault:
///
/// ```
/// use seda_http::{Body, ExtractError, Response};
///
/// let error = ExtractError::MediaType { expected: "application/json" };
/// let response = Response::<Body>::from(error);
/// assert_eq!(response.status(), 415);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// 415: the Content-Type is missing, or another one.
    #[error("the Content-Type is not {expected}")]
    MediaType {
        /// The media type that the body must have.
        expected: &'static str,
    },
    /// 400: the body is not JSON, or nested deeper than 128 levels.
    #[error("the body is not JSON: {fault}")]
    Syntax {
        /// The fault with its line and column.
        fault: String,
    },
    /// 422: the body has the right syntax and is not the expected value.
    #[error("the body does not fit: {fault}")]
    Value {
        /// The path of the value, and the fault.
        fault: String,
    },
    /// 400: the query is not the expected value.
    #[error("the query does not fit: {fault}")]
    Query {
        /// The key, and the fault.
        fault: String,
    },
}

impl ExtractError {
    /// Returns the status of the response: 400, 415 or 422.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Syntax { .. } | Self::Query { .. } => StatusCode::BAD_REQUEST,
            Self::Value { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl From<ExtractError> for Response<Body> {
    fn from(error: ExtractError) -> Self {
        responses::text(error.status(), responses::line(&error))
    }
}

impl From<ExtractError> for ErrorResponse {
    fn from(error: ExtractError) -> Self {
        Response::from(error).into()
    }
}

impl<P> HttpRequest<P> {
    /// Returns the query as a value of `T`. A key that occurs several times fits a field that is a
    /// `Vec`.
    ///
    /// # Errors
    /// [`ExtractError::Query`]: 400.
    ///
    /// ```
    /// use seda_http::{HttpRequest, StatusCode, json};
    /// use serde::Deserialize;
    ///
    /// /// Of `?tag=new&tag=cheap`.
    /// #[derive(Deserialize)]
    /// struct Search {
    ///     #[serde(default)]
    ///     tag: Vec<String>,
    /// }
    ///
    /// fn handle(call: HttpRequest) {
    ///     call.answer(|call| {
    ///         let search: Search = call.query()?;
    ///         Ok(json(StatusCode::OK, &search.tag))
    ///     });
    /// }
    /// # let _ = handle;
    /// ```
    pub fn query<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ExtractError> {
        let query = self.request.uri().query().unwrap_or_default();
        let read = serde_html_form::Deserializer::from_bytes(query.as_bytes());
        serde_path_to_error::deserialize(read)
            .map_err(|error| ExtractError::Query { fault: fault(&error) })
    }

    /// Returns the body as a value of `T`, read from JSON of at most 128 nested levels.
    ///
    /// # Errors
    /// 415 without a Content-Type of JSON (`application/json`, or one that ends in `+json`), 400
    /// if the body is not JSON, 422 if it is not a `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ExtractError> {
        if !media_type(self.request.headers()).is_some_and(is_json) {
            return Err(ExtractError::MediaType { expected: JSON });
        }
        let mut read = serde_json::Deserializer::from_slice(self.request.body());
        let value = serde_path_to_error::deserialize(&mut read).map_err(|error| {
            match error.inner().classify() {
                Category::Data => ExtractError::Value { fault: fault(&error) },
                _ => ExtractError::Syntax { fault: error.inner().to_string() },
            }
        })?;
        read.end().map_err(|error| ExtractError::Syntax { fault: error.to_string() })?;
        Ok(value)
    }

    /// Returns the body as a value of `T`, read from the fields of an HTML form.
    ///
    /// # Errors
    /// 415 without the Content-Type `application/x-www-form-urlencoded`, 422 if the fields are not
    /// a `T`.
    pub fn form<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ExtractError> {
        if !media_type(self.request.headers()).is_some_and(|it| it.eq_ignore_ascii_case(FORM)) {
            return Err(ExtractError::MediaType { expected: FORM });
        }
        serde_path_to_error::deserialize(serde_html_form::Deserializer::from_bytes(
            self.request.body(),
        ))
        .map_err(|error| ExtractError::Value { fault: fault(&error) })
    }
}

/// Returns the type and subtype of the Content-Type, without its parameters (RFC 9110 §8.3.1).
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim())
}

/// Returns true for `application/json` and for types with the suffix `+json` (RFC 6839 §3.1).
fn is_json(media_type: &str) -> bool {
    let Some((kind, subtype)) = media_type.split_once('/') else { return false };
    let suffix = subtype.rsplit('+').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("application") && suffix.eq_ignore_ascii_case("json")
}

/// Returns an error of serde with the path of the value that it is about.
fn fault<E: std::error::Error>(error: &serde_path_to_error::Error<E>) -> String {
    let path = error.path().to_string();
    if path == "." { error.inner().to_string() } else { format!("{path}: {}", error.inner()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_json_have_its_name_or_its_suffix() {
        for yes in ["application/json", "Application/JSON", "application/problem+json"] {
            assert!(is_json(yes), "{yes}");
        }
        for no in ["text/json", "application/jsonp", "application/xml", "json", ""] {
            assert!(!is_json(no), "{no}");
        }
    }
}
