//! Two sequences to the runs that they share, in bounded time whatever they hold.
//!
//! What stands on one side only is shared by nobody and set aside first. The rest is compared exactly,
//! unless it is so much that this could take minutes (one annotation can hold 100,000 words): then
//! items that stand once on each side are lined up, and what is equal next to them joins them.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// The most pairs (items of one side times items of the other) that are compared exactly.
const EXACT: usize = 4_000_000;

/// A stretch of both sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Run {
    /// The same items, in this order, on both sides.
    Same {
        /// Where in the baseline.
        baseline: Range<usize>,
        /// Where in the candidate; as long.
        candidate: Range<usize>,
    },
    /// What stands between two such stretches; one side may be empty.
    Differs {
        /// Where in the baseline.
        baseline: Range<usize>,
        /// Where in the candidate.
        candidate: Range<usize>,
    },
}

/// Both sequences, cut into runs that cover them in order.
pub fn runs<T: Eq + Hash + Ord>(baseline: &[T], candidate: &[T]) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    for (old, new) in pairs(baseline, candidate) {
        if (old, new) != (old_at, new_at) {
            runs.push(Run::Differs { baseline: old_at..old, candidate: new_at..new });
        }
        match runs.last_mut() {
            Some(Run::Same { baseline, candidate }) => {
                baseline.end = old + 1;
                candidate.end = new + 1;
            }
            _ => runs.push(Run::Same { baseline: old..old + 1, candidate: new..new + 1 }),
        }
        (old_at, new_at) = (old + 1, new + 1);
    }
    if (old_at, new_at) != (baseline.len(), candidate.len()) {
        runs.push(Run::Differs { baseline: old_at..baseline.len(), candidate: new_at..candidate.len() });
    }
    runs
}

/// How often an item stands on each side, and where it was last seen there.
#[derive(Default, Clone, Copy)]
struct Standing {
    times: (usize, usize),
    at: (usize, usize),
}

/// The positions of the items that stay, rising on both sides.
fn pairs<T: Eq + Hash + Ord>(old: &[T], new: &[T]) -> Vec<(usize, usize)> {
    let mut standing: HashMap<&T, Standing> = HashMap::new();
    for (at, item) in old.iter().enumerate() {
        let known = standing.entry(item).or_default();
        known.times.0 += 1;
        known.at.0 = at;
    }
    for (at, item) in new.iter().enumerate() {
        let known = standing.entry(item).or_default();
        known.times.1 += 1;
        known.at.1 = at;
    }
    let shared = |item: &T| standing.get(item).is_some_and(|s| s.times.0 > 0 && s.times.1 > 0);
    let of = |items: &[T]| -> Vec<usize> {
        items.iter().enumerate().filter(|(_, item)| shared(item)).map(|(at, _)| at).collect()
    };
    let (old_shared, new_shared) = (of(old), of(new));
    if old_shared.len().saturating_mul(new_shared.len()) <= EXACT {
        return exact(old, new, &old_shared, &new_shared);
    }
    let once =
        |at: &&usize| old.get(**at).and_then(|item| standing.get(item)).is_some_and(|s| s.times == (1, 1));
    let anchors: Vec<(usize, usize)> = old_shared
        .iter()
        .filter(once)
        .filter_map(|&at| Some((at, standing.get(old.get(at)?)?.at.1)))
        .collect();
    joined(old, new, &rising(&anchors))
}

fn exact<T: Eq + Hash + Ord>(
    old: &[T],
    new: &[T],
    old_at: &[usize],
    new_at: &[usize],
) -> Vec<(usize, usize)> {
    let (olds, news): (Vec<&T>, Vec<&T>) = (
        old_at.iter().filter_map(|&at| old.get(at)).collect(),
        new_at.iter().filter_map(|&at| new.get(at)).collect(),
    );
    let mut pairs = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, &olds, &news) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            let olds = old_at.get(old_index..old_index + len).unwrap_or_default();
            let news = new_at.get(new_index..new_index + len).unwrap_or_default();
            pairs.extend(olds.iter().copied().zip(news.iter().copied()));
        }
    }
    pairs
}

/// The longest choice of `anchors` (in the order of the first side) that rises on the second side, too.
fn rising(anchors: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length the anchor that ends such a choice lowest, and for each anchor the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(anchors.len());
    let value = |i: &usize| anchors.get(*i).map_or(usize::MAX, |a| a.1);
    for (i, anchor) in anchors.iter().enumerate() {
        let length = ends.partition_point(|end| value(end) < anchor.1);
        before.push(length.checked_sub(1).and_then(|l| ends.get(l)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = i,
            None => ends.push(i),
        }
    }
    let mut chosen = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(i) = next {
        chosen.extend(anchors.get(i));
        next = before.get(i).copied().flatten();
    }
    chosen.reverse();
    chosen
}

/// The anchors, and what is equal right behind each of them and at the start.
fn joined<T: Eq>(old: &[T], new: &[T], anchors: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::with_capacity(anchors.len());
    let (mut at, mut rest) = ((0, 0), anchors.iter().copied().peekable());
    loop {
        let limit = rest.peek().copied().unwrap_or((old.len(), new.len()));
        while at.0 < limit.0 && at.1 < limit.1 && old.get(at.0) == new.get(at.1) {
            pairs.push(at);
            at = (at.0 + 1, at.1 + 1);
        }
        let Some(anchor) = rest.next() else { return pairs };
        pairs.push(anchor);
        at = (anchor.0 + 1, anchor.1 + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hold(old: &[u16], new: &[u16]) -> Result<(), TestCaseError> {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for run in runs(old, new) {
            let (baseline, candidate) = match &run {
                Run::Same { baseline, candidate } => {
                    prop_assert_eq!(&old[baseline.clone()], &new[candidate.clone()]);
                    (baseline, candidate)
                }
                Run::Differs { baseline, candidate } => (baseline, candidate),
            };
            left.extend_from_slice(&old[baseline.clone()]);
            right.extend_from_slice(&new[candidate.clone()]);
        }
        prop_assert_eq!((left.as_slice(), right.as_slice()), (old, new));
        Ok(())
    }

    proptest! {
        #[test]
        fn runs_cover_both_sides_and_what_they_call_the_same_is(
            old in prop::collection::vec(0..20_u16, 0..40),
            new in prop::collection::vec(0..20_u16, 0..40),
        ) {
            hold(&old, &new)?;
        }
    }

    #[test]
    fn much_is_lined_up_by_what_stands_once() {
        // Every third item is everywhere, one block moved to the front, and one item changed.
        let old: Vec<u16> = (0..9000).map(|i| if i % 3 == 0 { 0 } else { i }).collect();
        let mut new = old[6000..].to_vec();
        new.extend_from_slice(&old[..6000]);
        new[4000] = 60_000;
        hold(&old, &new).unwrap();
        let same: usize = runs(&old, &new)
            .iter()
            .map(|run| match run {
                Run::Same { baseline, .. } => baseline.len(),
                Run::Differs { .. } => 0,
            })
            .sum();
        assert!((5990..6000).contains(&same), "{same} of the longer part's 6000 items are shared");
    }
}
