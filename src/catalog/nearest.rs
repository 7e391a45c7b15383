//! What somebody may have meant: the known annotation nearest to an unknown one.

use super::{Annotation, Generation, annotations};

/// The annotation that `generation` reads and whose key is nearest to `key`, where one is near enough:
/// the same last part elsewhere, or a few slips of the hand away.
pub fn nearest(key: &str, generation: Generation) -> Option<&'static Annotation> {
    let base = key.rsplit('.').next().unwrap_or(key);
    let allowed = (base.chars().count() / 4).clamp(1, 3);
    annotations(generation)
        .filter(|(annotation, _)| annotation.key != key)
        .filter_map(|(annotation, _)| {
            let own = annotation.key.rsplit('.').next().unwrap_or(annotation.key);
            let slips = slips(base, own);
            (slips <= allowed).then(|| (slips, self::slips(key, annotation.key), annotation))
        })
        .min_by_key(|(base, whole, _)| (*base, *whole))
        .map(|(_, _, annotation)| annotation)
}

/// How many letters are wrong, missing, too many or swapped with their neighbour; case, `-` and `_` do
/// not count.
fn slips(one: &str, other: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        text.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
    };
    let (one, other) = (letters(one), letters(other));
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    let mut last_a = None;
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut last_b = None;
        for (j, b) in other.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            if j > 0 && last_a == Some(b) && last_b == Some(a) {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
            last_b = Some(b);
        }
        last_a = Some(a);
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
