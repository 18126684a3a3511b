//! Shares the workers of the graph out to its pools.

/// The least workers of a pool, and the workers that it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) least: usize,
    pub(crate) wanted: usize,
}

/// Returns each pool's part of `budget` workers.
///
/// Every pool gets its least. Each further worker goes to the smallest pool that wants more. The
/// result is max-min fair (Bertsekas and Gallager, "Data networks", section 6.5.2), and no wanted
/// worker is withheld. If the least of all pools exceeds the budget, each gets its least.
pub(crate) fn max_min_fair(budget: usize, claims: &[Claim]) -> Vec<usize> {
    let wanted = claims.iter().fold(0, |sum: usize, claim| sum.saturating_add(claim.wanted));
    if wanted <= budget {
        return claims.iter().map(|claim| claim.wanted.max(claim.least)).collect();
    }
    let mut shares: Vec<usize> = claims.iter().map(|claim| claim.least).collect();
    let taken = shares.iter().fold(0, |sum: usize, share| sum.saturating_add(*share));
    for _ in 0..budget.saturating_sub(taken) {
        let pairs = shares.iter_mut().zip(claims);
        let unsatisfied = pairs.filter(|(share, claim)| **share < claim.wanted);
        let Some((poorest, _)) = unsatisfied.min_by_key(|(share, _)| **share) else { break };
        *poorest += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claims(claims: &[(usize, usize)]) -> Vec<Claim> {
        claims.iter().map(|(least, wanted)| Claim { least: *least, wanted: *wanted }).collect()
    }

    #[test]
    fn within_the_budget_every_pool_gets_what_it_wants() {
        assert_eq!(max_min_fair(10, &claims(&[(1, 4), (1, 6)])), [4, 6]);
    }

    #[test]
    fn beyond_the_budget_the_largest_claims_are_cut_and_no_pool_gets_less_than_its_least() {
        assert_eq!(max_min_fair(10, &claims(&[(1, 2), (1, 50), (1, 50)])), [2, 4, 4]);
        assert_eq!(max_min_fair(10, &claims(&[(7, 9), (1, 50)])), [7, 3]);
        assert_eq!(max_min_fair(3, &claims(&[(2, 9), (2, 9)])), [2, 2]);
    }

    proptest! {
        #[test]
        fn shares_are_fair_and_no_worker_is_withheld(
            budget in 0_usize..200,
            claims in proptest::collection::vec((0_usize..20, 0_usize..60), 1..8),
        ) {
            let claims: Vec<Claim> = claims
                .into_iter()
                .map(|(least, more)| Claim { least, wanted: least + more })
                .collect();
            let shares = max_min_fair(budget, &claims);
            let (sum, least): (usize, usize) =
                (shares.iter().sum(), claims.iter().map(|claim| claim.least).sum());
            prop_assert!(sum <= budget.max(least));
            let all_served = shares.iter().zip(&claims).all(|(share, claim)| *share == claim.wanted);
            prop_assert!(all_served || sum == budget.max(least));
            for (share, claim) in shares.iter().zip(&claims) {
                prop_assert!((claim.least..=claim.wanted).contains(share));
                // An unsatisfied pool is at most one worker behind any pool above its least.
                if *share < claim.wanted {
                    for (other, their) in shares.iter().zip(&claims) {
                        prop_assert!(*other == their.least || *other <= share + 1);
                    }
                }
            }
        }
    }
}
