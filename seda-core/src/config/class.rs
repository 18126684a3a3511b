//! Classes of events: priority, share, and one value per class.

use serde::{Deserialize, Serialize};
use std::ops::{Index, IndexMut};

/// The most classes that a graph may declare. Every class costs a lane in each queue, a histogram
/// in each report, and a label value in each metric; no known policy needs more than eight.
pub(crate) const MAX_CLASSES: usize = 8;

/// The priority and the share of an event: an index into the classes of its graph, highest first.
///
/// A class is set at the entry and inherited by every event that a handler sends.
///
/// ```
/// use seda_core::Class;
///
/// let (gold, basic) = (Class::HIGHEST, Class::new(1));
/// assert!(basic.is_lower_than(gold));
/// assert_eq!(Class::new(200), Class::new(7));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(from = "u8", into = "u8")]
pub struct Class(u8);

impl Class {
    /// The first, most important class; the only one unless the graph declares more.
    pub const HIGHEST: Class = Class(0);

    /// All classes, the highest first.
    pub(crate) const ALL: [Class; MAX_CLASSES] =
        [Class(0), Class(1), Class(2), Class(3), Class(4), Class(5), Class(6), Class(7)];

    /// Returns the class at `index` in the order of declaration. An index above 7 is clamped to 7,
    /// and a graph treats an index beyond its declared classes as its last class.
    pub const fn new(index: u8) -> Self {
        const LAST: u8 = MAX_CLASSES as u8 - 1;
        Class(if index < LAST { index } else { LAST })
    }

    /// Returns the position in the order of declaration, 0 to 7; 0 is the most important.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Returns whether this class is less important than `other`.
    pub const fn is_lower_than(self, other: Class) -> bool {
        self.0 > other.0
    }

    /// Returns this class, or the last class of a graph that declares only `classes` of them.
    pub(crate) fn within(self, classes: usize) -> Self {
        let last = classes.clamp(1, MAX_CLASSES) - 1;
        Class(self.0.min(u8::try_from(last).unwrap_or(u8::MAX)))
    }

    /// Returns the class that follows in a round robin over the first `classes` classes.
    pub(crate) fn next_of(self, classes: usize) -> Self {
        if self.index() + 1 < classes { Class::new(self.0 + 1) } else { Class::HIGHEST }
    }

    /// Returns the first `n` classes, the highest first.
    pub(crate) fn first(n: usize) -> impl DoubleEndedIterator<Item = Class> + ExactSizeIterator {
        Self::ALL.into_iter().take(n)
    }
}

impl From<u8> for Class {
    fn from(index: u8) -> Self {
        Self::new(index)
    }
}

impl From<Class> for u8 {
    fn from(class: Class) -> Self {
        class.0
    }
}

/// One value per class. Indexing by a [`Class`] always succeeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PerClass<T>([T; MAX_CLASSES]);

impl<T> PerClass<T> {
    /// The same value for every class.
    pub(crate) const fn splat(value: T) -> Self
    where
        T: Copy,
    {
        Self([value; MAX_CLASSES])
    }

    /// The value that `make` returns for each class.
    pub(crate) fn from_fn(make: impl FnMut(Class) -> T) -> Self {
        Self(Class::ALL.map(make))
    }

    /// The values, that of the highest class first.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// See [`PerClass::iter`].
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// Each class with its value.
    pub(crate) fn by_class(&self) -> impl DoubleEndedIterator<Item = (Class, &T)> {
        Class::ALL.into_iter().zip(&self.0)
    }

    /// The values that `f` makes of these.
    pub(crate) fn map<U>(&self, f: impl FnMut(&T) -> U) -> PerClass<U> {
        PerClass(self.0.each_ref().map(f))
    }
}

impl<T> From<[T; MAX_CLASSES]> for PerClass<T> {
    fn from(values: [T; MAX_CLASSES]) -> Self {
        Self(values)
    }
}

#[expect(clippy::indexing_slicing, reason = "`Class` has no value beyond the array")]
impl<T> Index<Class> for PerClass<T> {
    type Output = T;

    #[inline]
    fn index(&self, class: Class) -> &T {
        &self.0[class.index()]
    }
}

#[expect(clippy::indexing_slicing, reason = "`Class` has no value beyond the array")]
impl<T> IndexMut<Class> for PerClass<T> {
    #[inline]
    fn index_mut(&mut self, class: Class) -> &mut T {
        &mut self.0[class.index()]
    }
}

impl<T> IntoIterator for PerClass<T> {
    type Item = T;
    type IntoIter = std::array::IntoIter<T, MAX_CLASSES>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a PerClass<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut PerClass<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

/// The declaration of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassConfig {
    /// Its name in reports and metrics.
    pub name: String,
    /// The number of events of the class that a queue serves per turn of the round robin.
    pub weight: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_beyond_the_last_class_is_the_last_class() {
        assert_eq!(Class::new(u8::MAX), Class::new(7));
        assert!(Class::ALL.into_iter().enumerate().all(|(n, class)| class.index() == n));
        assert_eq!(Class::new(7).within(2), Class::new(1));
        assert_eq!(Class::new(1).within(2), Class::new(1));
        assert_eq!(Class::new(3).within(0), Class::HIGHEST);
    }

    #[test]
    fn a_class_is_written_as_a_number_and_a_larger_number_is_read_as_the_last_class() {
        assert_eq!(serde_json::to_string(&Class::new(2)).unwrap(), "2");
        assert_eq!(serde_json::from_str::<Class>("200").unwrap(), Class::new(7));
    }

    #[test]
    fn every_class_indexes_its_own_value() {
        let mut squares = PerClass::from_fn(|class| class.index() * class.index());
        assert!(squares.by_class().all(|(class, square)| squares[class] == *square));
        squares[Class::new(3)] = 1;
        assert_eq!(squares.map(|n| *n).into_iter().sum::<usize>(), 132);
    }
}
