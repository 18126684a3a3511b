//! The parameters that a type takes, found without a request.

use super::params::{ParamsError, Value, forward_to_one_value};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

/// The parameters of a path that a type takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any: the type is `()`, a map, or says nothing.
    Any,
    /// Exactly one.
    One,
    /// This many, in order.
    Tuple(usize),
    /// Those with these names.
    Fields(&'static [&'static str]),
}

impl Shape {
    /// Returns the shape of `P`: what its `Deserialize` asks for first.
    pub(super) fn of<'de, P: Deserialize<'de>>() -> Self {
        let mut shape = Shape::Any;
        // The probe has no value, so this is always an error.
        let _ = P::deserialize(Probe(&mut shape));
        shape
    }

    /// Returns true if a path with the parameters `names` fits.
    pub(super) fn fits(self, names: &[&str]) -> bool {
        match self {
            Shape::Any => true,
            Shape::One => names.len() == 1,
            Shape::Tuple(length) => names.len() == length,
            Shape::Fields(fields) => names.iter().all(|name| fields.contains(name)),
        }
    }
}

/// Takes down what a type asks for, and has no value for it.
struct Probe<'a>(&'a mut Shape);

impl Probe<'_> {
    fn note<V>(self, shape: Shape) -> Result<V, ParamsError> {
        *self.0 = shape;
        Err(ParamsError::custom("a probe has no value"))
    }

    fn one_value(self) -> Result<Value<'static>, ParamsError> {
        self.note(Shape::One)
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = ParamsError;

    forward_to_one_value!();

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ParamsError> {
        self.note(Shape::Any)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        _visitor: V,
    ) -> Result<V::Value, ParamsError> {
        self.note(Shape::Tuple(length))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        _visitor: V,
    ) -> Result<V::Value, ParamsError> {
        self.note(Shape::Tuple(length))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ParamsError> {
        self.note(Shape::Fields(fields))
    }

    forward_to_deserialize_any! {
        bytes byte_buf option unit unit_struct seq map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "id")]
        _id: u64,
        #[serde(alias = "to")]
        _from: u64,
    }

    #[derive(serde::Deserialize)]
    struct Wrapped(#[expect(dead_code, reason = "only its type counts")] u64);

    #[test]
    fn a_shape_is_what_a_type_asks_for() {
        assert_eq!(Shape::of::<()>(), Shape::Any);
        assert_eq!(Shape::of::<HashMap<String, String>>(), Shape::Any);
        assert_eq!(Shape::of::<u64>(), Shape::One);
        assert_eq!(Shape::of::<Wrapped>(), Shape::One);
        assert_eq!(Shape::of::<(u64, String)>(), Shape::Tuple(2));
        assert!(Shape::of::<Named>().fits(&["id", "_from"]));
        assert!(Shape::of::<Named>().fits(&["id", "to"]), "an alias is a name");
        assert!(!Shape::of::<Named>().fits(&["id", "name"]));
    }

    #[test]
    fn a_path_fits_by_its_number_or_its_names() {
        assert!(Shape::Any.fits(&["a", "b"]) && Shape::One.fits(&["a"]));
        assert!(!Shape::One.fits(&[]) && !Shape::One.fits(&["a", "b"]));
        assert!(Shape::Tuple(2).fits(&["a", "b"]) && !Shape::Tuple(2).fits(&["a"]));
        assert!(Shape::Fields(&["a", "b"]).fits(&["b"]), "the query may have the others");
    }
}
