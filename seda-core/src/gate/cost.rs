//! The cost of a request at one gate.

/// The unit of a cost. Costs of different units are never added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CostUnit {
    /// Microseconds of service, as measured.
    #[default]
    Micros,
    /// The unit in which the requests of the gate declare their costs.
    Declared,
}

/// The cost of a request at one gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// 0 if the request is only counted.
    pub(crate) amount: u32,
    pub(crate) unit: CostUnit,
}

impl Cost {
    /// The cost of a request that is only counted.
    pub(crate) const NONE: Self = Self { amount: 0, unit: CostUnit::Micros };

    /// Rounds `amount` to a cost of at least 1; NaN becomes 1.
    pub(super) fn rounded(amount: f64, unit: CostUnit) -> Self {
        // The cast saturates.
        Self { amount: (amount.round() as u32).max(1), unit }
    }

    /// Packs the cost into one word: the unit above the amount.
    pub(super) fn to_bits(self) -> u64 {
        u64::from(self.amount) | u64::from(self.unit == CostUnit::Declared) << u32::BITS
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        let unit = if bits >> u32::BITS > 0 { CostUnit::Declared } else { CostUnit::Micros };
        // The lower half is the amount.
        Self { amount: bits as u32, unit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_survives_its_packing_into_a_word() {
        for unit in [CostUnit::Micros, CostUnit::Declared] {
            for amount in [0, 1, u32::MAX] {
                let cost = Cost { amount, unit };
                assert_eq!(Cost::from_bits(cost.to_bits()), cost);
            }
        }
    }

    #[test]
    fn a_rounded_cost_is_at_least_one() {
        let rounded = [0.0, 0.4, 7.5, 1e12, f64::NAN]
            .map(|amount| Cost::rounded(amount, CostUnit::Micros).amount);
        assert_eq!(rounded, [1, 1, 8, u32::MAX, 1]);
    }
}
