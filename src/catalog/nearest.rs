//! What somebody may have meant: the known annotation nearest to an unknown one.

use std::sync::LazyLock;

use super::{ANNOTATIONS, Annotation, Level, Release};

/// An annotation with what is compared of its key.
struct Known {
    annotation: &'static Annotation,
    letters: Vec<char>,
    tally: Tally,
}

/// Every annotation of pods and containers: a pod may set thousands of keys that no runtime reads, and each
/// is held against all of these.
static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let annotations = ANNOTATIONS.iter().filter(|annotation| annotation.level != Level::MountOption);
    annotations
        .map(|annotation| {
            let letters: Vec<char> = letters(last_part(annotation.key)).collect();
            Known { annotation, tally: Tally::of(&letters), letters }
        })
        .collect()
});

/// The annotation that `release` reads and whose key is nearest to `key`, where one is near enough:
/// the same last part elsewhere, or a few slips of the hand away.
pub fn nearest(key: &str, release: Release) -> Option<&'static Annotation> {
    let base = last_part(key);
    let allowed = (base.chars().count() / 4).clamp(1, 3);
    let base = letters(base).collect::<Vec<char>>();
    let tally = Tally::of(&base);
    let mut rows = Rows::default();
    let near: Vec<(usize, &'static Annotation)> = KNOWN
        .iter()
        .filter(|known| known.letters.len().abs_diff(base.len()) <= allowed)
        .filter(|known| tally.slips_at_least(&known.tally) <= allowed)
        .filter(|known| known.annotation.reader(release).read && known.annotation.key != key)
        .filter_map(|known| Some((rows.slips(&base, &known.letters, Some(allowed))?, known.annotation)))
        .collect();
    let best = near.iter().map(|(slips, _)| *slips).min()?;
    let mut best = near.into_iter().filter(|(slips, _)| *slips == best).map(|(_, annotation)| annotation);
    let first = best.next()?;
    let mut others = best.peekable();
    if others.peek().is_none() {
        return Some(first);
    }
    // Among equals the whole key decides.
    let whole = letters(key).collect::<Vec<char>>();
    let apart =
        |annotation: &&Annotation| rows.slips(&whole, &letters(annotation.key).collect::<Vec<char>>(), None);
    std::iter::once(first).chain(others).min_by_key(apart)
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// What counts of a text: case, `-` and `_` do not.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase())
}

/// How often a text has each letter; those outside of ASCII are taken for one.
struct Tally([u8; 128]);

impl Tally {
    fn of(letters: &[char]) -> Self {
        let mut tally = Self([0; 128]);
        for letter in letters {
            let place = if letter.is_ascii() { *letter as usize } else { 0 };
            if let Some(count) = tally.0.get_mut(place) {
                *count = count.saturating_add(1);
            }
        }
        tally
    }

    /// How many slips there are at least from one text to another: no order of letters is asked for, only
    /// whether they are there. Cheap, and far from most names.
    fn slips_at_least(&self, other: &Self) -> usize {
        let pairs = || self.0.iter().zip(&other.0);
        let missing: usize = pairs().map(|(one, other)| usize::from(one.saturating_sub(*other))).sum();
        let too_many: usize = pairs().map(|(one, other)| usize::from(other.saturating_sub(*one))).sum();
        missing.max(too_many)
    }
}

/// Of `names` the one that is meant by `name`: a few slips of the hand away.
pub fn nearest_name<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (name.chars().count() / 4).clamp(1, 3);
    let own: Vec<char> = letters(name).collect();
    let mut rows = Rows::default();
    let near = names.filter_map(|other| {
        Some((rows.slips(&own, &letters(other).collect::<Vec<char>>(), Some(allowed))?, other))
    });
    near.min().map(|(_, other)| other)
}

/// The rows that counting slips works on, kept from one count to the next.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    row: Vec<usize>,
    next: Vec<usize>,
}

impl Rows {
    /// How many letters are wrong, missing, too many or swapped with their neighbour; `None` where they are
    /// more than `most`.
    fn slips(&mut self, one: &[char], other: &[char], most: Option<usize>) -> Option<usize> {
        self.before.clear();
        self.row.clear();
        self.row.extend(0..=other.len());
        let mut last_a = None;
        for (i, a) in one.iter().enumerate() {
            self.next.clear();
            self.next.push(i + 1);
            let mut last_b = None;
            for (j, b) in other.iter().enumerate() {
                let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
                let mut best = (at(&self.row, j) + usize::from(a != b))
                    .min(at(&self.row, j + 1) + 1)
                    .min(at(&self.next, j) + 1);
                if j > 0 && last_a == Some(b) && last_b == Some(a) {
                    best = best.min(at(&self.before, j - 1) + 1);
                }
                self.next.push(best);
                last_b = Some(b);
            }
            last_a = Some(a);
            std::mem::swap(&mut self.before, &mut self.row);
            std::mem::swap(&mut self.row, &mut self.next);
        }
        let slips = self.row.last().copied().unwrap_or(0);
        most.is_none_or(|most| slips <= most).then_some(slips)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Runtime;

    fn spread(text: &str) -> Vec<char> {
        letters(text).collect()
    }

    fn slips(one: &str, other: &str) -> usize {
        Rows::default().slips(&spread(one), &spread(other), None).unwrap()
    }

    #[test]
    fn a_bound_changes_nothing_within_it() {
        let mut rows = Rows::default();
        for one in KNOWN.iter() {
            for other in KNOWN.iter() {
                let whole = rows.slips(&one.letters, &other.letters, None).unwrap();
                let bounded = rows.slips(&one.letters, &other.letters, Some(3));
                assert_eq!(bounded, (whole <= 3).then_some(whole), "{:?} {:?}", one.letters, other.letters);
                assert!(one.tally.slips_at_least(&other.tally) <= whole);
                assert!(one.letters.len().abs_diff(other.letters.len()) <= whole);
            }
        }
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(slips("default_memory", "default-Memroy"), 1);
        assert_eq!(slips("abc", "abc"), 0);
        assert_eq!(slips("", "abc"), 3);
        assert_eq!(slips("kitten", "sitting"), 3);
    }

    #[test]
    fn the_nearest_that_this_generation_reads() {
        let near = |key: &str, release| nearest(key, release).map(|a| a.key);
        let prefix = "io.katacontainers.config.hypervisor.";
        assert_eq!(
            near(&format!("{prefix}default_memroy"), Release::newest(Runtime::Rs)),
            Some("io.katacontainers.config.hypervisor.default_memory")
        );
        assert_eq!(
            near("io.katacontainers.default_memory", Release::newest(Runtime::Go)),
            Some("io.katacontainers.config.hypervisor.default_memory")
        );
        assert_eq!(
            near("io.katacontainers.enable_vcpus_pinning", Release::newest(Runtime::Rs)),
            Some("io.katacontainers.config.runtime.enable_vcpus_pinning")
        );
        assert_eq!(near(&format!("{prefix}something_else"), Release::newest(Runtime::Go)), None);
    }
}
