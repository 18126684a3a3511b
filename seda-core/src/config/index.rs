//! Typed positions: a stage's and a pool's cannot be mistaken for each other.
//!
//! An index is minted by the container that declares the thing, and is valid in every container
//! that has one value for each thing of that kind. So a lookup cannot miss, and returns no
//! `Option`.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A position in order of declaration.
pub(crate) trait Position: Copy + Eq {
    /// Names the `n`th thing of its kind.
    fn declared(n: usize) -> Self;

    /// Returns the position as a number, for rooms that count in `usize`.
    fn get(self) -> usize;
}

/// The position of a stage among all stages of its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StageIndex(usize);

/// The position of a pool among all pools of its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PoolIndex(usize);

impl Position for StageIndex {
    fn declared(n: usize) -> Self {
        Self(n)
    }

    fn get(self) -> usize {
        self.0
    }
}

impl Position for PoolIndex {
    fn declared(n: usize) -> Self {
        Self(n)
    }

    fn get(self) -> usize {
        self.0
    }
}

/// One value for each stage.
pub(crate) type Stages<T> = PerIndex<StageIndex, T>;
/// One value for each pool.
pub(crate) type Pools<T> = PerIndex<PoolIndex, T>;

/// One value for each thing of a kind. Its length is fixed when it is made.
#[derive(Clone, Debug)]
pub(crate) struct PerIndex<I, T> {
    values: Box<[T]>,
    kind: PhantomData<fn(I)>,
}

impl<I: Position, T> PerIndex<I, T> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.values.iter_mut()
    }

    /// All positions, in order of declaration.
    pub(crate) fn indices(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.values.len()).map(I::declared)
    }

    /// All values with their positions.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (I, &T)> {
        self.indices().zip(self.iter())
    }

    /// Returns what `make` makes of each value, position by position.
    pub(crate) fn map<'a, U>(&'a self, mut make: impl FnMut(I, &'a T) -> U) -> PerIndex<I, U> {
        self.entries().map(|(index, value)| make(index, value)).collect()
    }

    /// Returns the first position with a `wanted` value; `None` if there is none.
    pub(crate) fn position(&self, mut wanted: impl FnMut(&T) -> bool) -> Option<I> {
        self.entries().find(|(_, value)| wanted(value)).map(|(index, _)| index)
    }

    /// Returns `n` as a position; `None` beyond the last one.
    pub(crate) fn index_of(&self, n: usize) -> Option<I> {
        (n < self.values.len()).then(|| I::declared(n))
    }
}

impl<I: Position, T> Index<I> for PerIndex<I, T> {
    type Output = T;

    #[expect(
        clippy::indexing_slicing,
        reason = "an index is minted at declaration, and each container has a value for it"
    )]
    fn index(&self, index: I) -> &T {
        &self.values[index.get()]
    }
}

impl<I: Position, T> IndexMut<I> for PerIndex<I, T> {
    #[expect(
        clippy::indexing_slicing,
        reason = "an index is minted at declaration, and each container has a value for it"
    )]
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.values[index.get()]
    }
}

impl<I, T> FromIterator<T> for PerIndex<I, T> {
    fn from_iter<V: IntoIterator<Item = T>>(values: V) -> Self {
        Self { values: values.into_iter().collect(), kind: PhantomData }
    }
}

impl<I, T> IntoIterator for PerIndex<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_vec().into_iter()
    }
}

impl<'a, I, T> IntoIterator for &'a PerIndex<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

impl<'a, I, T> IntoIterator for &'a mut PerIndex<I, T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_has_its_value_and_a_number_beyond_the_last_is_no_position() {
        let mut names: Stages<&str> = ["parse", "render"].into_iter().collect();
        let render = names.position(|name| *name == "render").unwrap();
        assert_eq!((render.get(), names[render]), (1, "render"));
        names[render] = "draw";
        assert_eq!(names.map(|index, name| (index.get(), name.len())).iter().last(), Some(&(1, 4)));
        assert_eq!((names.index_of(1), names.index_of(2)), (Some(render), None));
    }
}
