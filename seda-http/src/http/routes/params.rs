//! The parameters of a request's target as a typed value.

use form_urlencoded::Parse;
use percent_encoding::percent_decode_str;
use serde::de::value::{MapAccessDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::fmt::{self, Display};

/// The reason why the parameters of a target do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::http) struct ParamsError {
    /// The name of the parameter, if the fault is of one.
    parameter: Option<String>,
    fault: String,
}

impl ParamsError {
    fn of(self, parameter: &str) -> Self {
        Self { parameter: Some(parameter.to_owned()), ..self }
    }

    /// Returns the fault of this parameter, if its name is known here.
    fn of_known(self, parameter: Option<&str>) -> Self {
        match parameter {
            Some(parameter) => self.of(parameter),
            None => self,
        }
    }
}

impl Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parameter {
            Some(parameter) => write!(f, "parameter `{parameter}`: {}", self.fault),
            None => f.write_str(&self.fault),
        }
    }
}

impl Error for ParamsError {
    fn custom<T: Display>(fault: T) -> Self {
        Self { parameter: None, fault: fault.to_string() }
    }
}

/// The methods of a [`Deserializer`] for types of one value: that of `one_value`.
macro_rules! forward_to_one_value {
    () => {
        forward_to_one_value! {
            deserialize_bool deserialize_char deserialize_str deserialize_string
            deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
            deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
            deserialize_f32 deserialize_f64
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            name: &'static str,
            variants: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, ParamsError> {
            self.one_value()?.deserialize_enum(name, variants, visitor)
        }

        fn deserialize_newtype_struct<V: Visitor<'de>>(
            self,
            _name: &'static str,
            visitor: V,
        ) -> Result<V::Value, ParamsError> {
            visitor.visit_newtype_struct(self)
        }
    };
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
            self.one_value()?.$method(visitor)
        }
    )+};
}
pub(super) use forward_to_one_value;

/// The parameters of a path, in their order and not decoded, and the query.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Parameters<'a> {
    pub(super) path: &'a matchit::Params<'a, 'a>,
    pub(super) query: Option<&'a str>,
}

impl<'a> Parameters<'a> {
    /// Returns the only parameter of the path.
    fn one_value(self) -> Result<Value<'a>, ParamsError> {
        let mut path = self.path.iter();
        match (path.next(), path.next()) {
            (Some((name, value)), None) => Value::of_path(name, value),
            _ => Err(ParamsError::custom("the path has not one parameter")),
        }
    }
}

impl<'de> Deserializer<'de> for Parameters<'de> {
    type Error = ParamsError;

    forward_to_one_value!();

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamsError> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        let values = self.path.iter().map(|(name, value)| Value::of_path(name, value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        visitor.visit_seq(SeqDeserializer::new(values.into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, ParamsError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, ParamsError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        MapAccessDeserializer::new(Pairs::new(self)).deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bytes byte_buf option map struct identifier ignored_any
    }
}

/// The most parameters of a query. Each one is compared with those before it, on the reactor.
const PAIRS_MOST: usize = 256;

/// The parameters of the path, then those of the query, each with its name. A query that repeats
/// the name of a path's parameter is a duplicate field, so that it cannot override the path.
struct Pairs<'a> {
    path: &'a matchit::Params<'a, 'a>,
    /// The number of the path's parameters that were given out.
    given: usize,
    query: Parse<'a>,
    are_too_many: bool,
    /// The names that have given all their values to one sequence.
    sequences: Vec<Cow<'a, str>>,
    /// The pair that has given out its key.
    next: Option<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Pairs<'a> {
    fn new(Parameters { path, query }: Parameters<'a>) -> Self {
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let are_too_many = { query }.nth(PAIRS_MOST).is_some();
        Self { path, given: 0, query, are_too_many, sequences: Vec::new(), next: None }
    }

    fn take_next(&mut self) -> Result<Option<(Cow<'a, str>, Value<'a>)>, ParamsError> {
        if let Some((name, value)) = self.path.iter().nth(self.given) {
            self.given += 1;
            return Ok(Some((Cow::Borrowed(name), Value::of_path(name, value)?)));
        }
        if self.are_too_many {
            let fault = format!("the query has more than {PAIRS_MOST} parameters");
            return Err(ParamsError::custom(fault));
        }
        let sequences = &self.sequences;
        let Some((name, text)) = self.query.find(|(name, _)| !sequences.contains(name)) else {
            return Ok(None);
        };
        // A map would let the query override the path.
        if self.path.iter().any(|(given, _)| given == name.as_ref()) {
            return Err(ParamsError::custom(format!("duplicate field `{name}`")));
        }
        Ok(Some((name, Value { name: None, text })))
    }
}

impl<'de> MapAccess<'de> for Pairs<'de> {
    type Error = ParamsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ParamsError> {
        let Some((name, value)) = self.take_next()? else { return Ok(None) };
        let key = seed.deserialize(name.as_ref().into_deserializer())?;
        self.next = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ParamsError> {
        let Some((name, value)) = self.next.take() else {
            return Err(ParamsError::custom("a value was asked for before its key"));
        };
        let mut is_sequence = false;
        let values =
            Values { first: value, name: &name, rest: self.query, is_sequence: &mut is_sequence };
        let read = seed.deserialize(values).map_err(|error| error.of(&name))?;
        if is_sequence {
            self.sequences.push(name);
        }
        Ok(read)
    }
}

/// The value of a name, or all of its values if the type is a sequence.
struct Values<'a, 'p> {
    first: Value<'a>,
    name: &'p str,
    /// The query behind the first value.
    rest: Parse<'a>,
    is_sequence: &'p mut bool,
}

impl<'a> Values<'a, '_> {
    fn one_value(self) -> Result<Value<'a>, ParamsError> {
        Ok(self.first)
    }
}

impl<'de> Deserializer<'de> for Values<'de, '_> {
    type Error = ParamsError;

    forward_to_one_value!();

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        self.first.deserialize_any(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        *self.is_sequence = true;
        let name = self.name;
        let rest = self
            .rest
            .filter(|(other, _)| other == name)
            .map(|(_, text)| Value { name: None, text });
        visitor.visit_seq(SeqDeserializer::new(std::iter::once(self.first).chain(rest)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

/// One decoded value.
#[derive(Debug)]
pub(super) struct Value<'a> {
    /// The name of a path's parameter. Those of a query are named by their map.
    name: Option<&'a str>,
    text: Cow<'a, str>,
}

impl<'a> Value<'a> {
    /// Decodes a parameter of the path. In a path `+` is itself.
    fn of_path(name: &'a str, value: &'a str) -> Result<Self, ParamsError> {
        match percent_decode_str(value).decode_utf8() {
            Ok(text) => Ok(Self { name: Some(name), text }),
            Err(_) => Err(ParamsError::custom("the decoded bytes are not UTF-8").of(name)),
        }
    }
}

/// Methods of a type that is parsed from the text.
macro_rules! parsed {
    ($($method:ident $visit:ident $number:ty)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
            let fault = concat!("the value is no ", stringify!($number));
            let number = self.text.parse::<$number>().map_err(|_| ParamsError::custom(fault));
            let value = number.and_then(|number| visitor.$visit(number));
            value.map_err(|error| error.of_known(self.name))
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = ParamsError;

    parsed! {
        deserialize_bool visit_bool bool
        deserialize_char visit_char char
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_f32 visit_f32 f32
        deserialize_f64 visit_f64 f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        let value = match self.text {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        };
        value.map_err(|error: ParamsError| error.of_known(self.name))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ParamsError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ParamsError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ParamsError> {
        let value = visitor.visit_enum(self.text.into_deserializer());
        value.map_err(|error: ParamsError| error.of_known(self.name))
    }

    forward_to_deserialize_any! {
        str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ParamsError> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
