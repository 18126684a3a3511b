//! A value for each gate that a request passes.

/// The number of values that need no allocation. Most routes pass one to four gates.
const FEW: usize = 4;

/// One value for each gate of a charge, in the order of the charge. Up to four values are inline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PerGate<T> {
    Few { items: [T; FEW], len: usize },
    Many(Box<[T]>),
}

impl<T> PerGate<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Self::Few { items, len } => items.get(..*len).unwrap_or_default(),
            Self::Many(items) => items,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::Few { items, len } => items.get_mut(..*len).unwrap_or_default(),
            Self::Many(items) => items,
        }
    }
}

impl<T: Copy + Default> Default for PerGate<T> {
    fn default() -> Self {
        Self::Few { items: [T::default(); FEW], len: 0 }
    }
}

impl<T: Copy + Default> FromIterator<T> for PerGate<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut values = values.into_iter();
        let mut items = [T::default(); FEW];
        let mut len = 0;
        while let Some(value) = values.next() {
            let Some(slot) = items.get_mut(len) else {
                return Self::Many(items.into_iter().chain([value]).chain(values).collect());
            };
            *slot = value;
            len += 1;
        }
        Self::Few { items, len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_keep_their_order_with_and_without_an_allocation() {
        for n in [0, 1, 4, 5, 40] {
            let mut values: PerGate<u32> = (0..n).collect();
            assert_eq!(values.as_slice(), (0..n).collect::<Vec<_>>());
            assert_eq!(matches!(values, PerGate::Many(_)), n > 4);
            values.as_mut_slice().iter_mut().for_each(|value| *value += 1);
            assert_eq!(values.as_slice(), (1..=n).collect::<Vec<_>>());
        }
    }
}
