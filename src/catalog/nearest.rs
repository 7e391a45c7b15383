//! What somebody may have meant: the known annotation nearest to an unknown one.

use super::{Annotation, Generation, annotations};

/// The annotation that `generation` reads and whose key is nearest to `key`, where one is near enough:
/// the same last part elsewhere, or a few slips of the hand away.
pub fn nearest(key: &str, generation: Generation) -> Option<&'static Annotation> {
    let base = last_part(key);
    let allowed = (base.chars().count() / 4).clamp(1, 3);
    let base = letters(base).collect::<Vec<char>>();
    let tally = Tally::of(base.iter().copied());
    let mut rows = Rows::default();
    let near: Vec<(usize, &'static Annotation)> = annotations(generation)
        .filter(|(annotation, _)| annotation.key != key)
        .filter_map(|(annotation, _)| {
            let other = last_part(annotation.key);
            if tally.slips_at_least(letters(other)) > allowed {
                return None;
            }
            Some((rows.slips(&base, other, Some(allowed))?, annotation))
        })
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
    std::iter::once(first).chain(others).min_by_key(|annotation| rows.slips(&whole, annotation.key, None))
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
    fn of(letters: impl Iterator<Item = char>) -> Self {
        let mut tally = Self([0_u8; 128]);
        for letter in letters {
            if let Some(count) = tally.0.get_mut(Self::index(letter)) {
                *count = count.saturating_add(1);
            }
        }
        tally
    }

    fn index(letter: char) -> usize {
        if letter.is_ascii() { letter as usize } else { 0 }
    }

    /// How many slips there are at least from this text to another: no order of letters is asked for, only
    /// whether they are there. Cheap, and far from most names.
    fn slips_at_least(&self, other: impl Iterator<Item = char>) -> usize {
        let other = Self::of(other);
        let pairs = || self.0.iter().zip(&other.0);
        let missing: usize = pairs().map(|(one, other)| usize::from(one.saturating_sub(*other))).sum();
        let too_many: usize = pairs().map(|(one, other)| usize::from(other.saturating_sub(*one))).sum();
        missing.max(too_many)
    }
}

/// The rows that counting slips works on, kept from one count to the next: a pod may set thousands of keys
/// that no runtime reads, and each is held against every known one.
#[derive(Default)]
struct Rows {
    other: Vec<char>,
    before: Vec<usize>,
    row: Vec<usize>,
    next: Vec<usize>,
}

impl Rows {
    /// How many letters are wrong, missing, too many or swapped with their neighbour; `None` where they are
    /// more than `most`.
    fn slips(&mut self, one: &[char], other: &str, most: Option<usize>) -> Option<usize> {
        self.other.clear();
        self.other.extend(letters(other));
        // Each letter too many or missing is a slip.
        if most.is_some_and(|most| one.len().abs_diff(self.other.len()) > most) {
            return None;
        }
        self.before.clear();
        self.row.clear();
        self.row.extend(0..=self.other.len());
        let mut last_a = None;
        for (i, a) in one.iter().enumerate() {
            self.next.clear();
            self.next.push(i + 1);
            let mut last_b = None;
            for (j, b) in self.other.iter().enumerate() {
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

    fn slips(one: &str, other: &str) -> usize {
        Rows::default().slips(&letters(one).collect::<Vec<_>>(), other, None).unwrap()
    }

    #[test]
    fn a_bound_changes_nothing_within_it() {
        let mut rows = Rows::default();
        for (one, _) in annotations(Generation::Go41) {
            let one = last_part(one.key);
            for (other, _) in annotations(Generation::Rs41) {
                let other = last_part(other.key);
                let whole = slips(one, other);
                assert!(Tally::of(letters(one)).slips_at_least(letters(other)) <= whole, "{one} {other}");
                let bounded = rows.slips(&letters(one).collect::<Vec<_>>(), other, Some(3));
                assert_eq!(bounded, (whole <= 3).then_some(whole), "{one} {other}");
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
        let near = |key: &str, generation| nearest(key, generation).map(|a| a.key);
        let prefix = "io.katacontainers.config.hypervisor.";
        assert_eq!(
            near(&format!("{prefix}default_memroy"), Generation::Rs41),
            Some("io.katacontainers.config.hypervisor.default_memory")
        );
        assert_eq!(
            near("io.katacontainers.default_memory", Generation::Go41),
            Some("io.katacontainers.config.hypervisor.default_memory")
        );
        assert_eq!(
            near("io.katacontainers.enable_vcpus_pinning", Generation::Rs41),
            Some("io.katacontainers.config.runtime.enable_vcpus_pinning")
        );
        assert_eq!(near(&format!("{prefix}something_else"), Generation::Go41), None);
    }
}
