//! A fixed set of names, and which of them a text is.
//!
//! Both Go generations look up every annotation of every pod. Names are told apart by their length
//! first: those of a generation begin alike.

/// Names with their numbers.
pub(super) struct Names(Vec<(&'static str, usize)>);

impl Names {
    /// Numbers them in the order given; of equal ones the first counts.
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut all: Vec<_> = names.enumerate().map(|(number, name)| (name, number)).collect();
        all.sort_by_key(|(name, _)| (name.len(), *name));
        all.dedup_by_key(|(name, _)| *name);
        Self(all)
    }

    /// The number of `name`.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let at = self.0.binary_search_by(|(own, _)| (own.len(), *own).cmp(&(name.len(), name))).ok()?;
        self.0.get(at).map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn every_name_is_found_and_nothing_else() {
        let names = Names::new(["path", "image", "initrd", "kernel", "image"].into_iter());
        assert_eq!(["path", "image", "kernel"].map(|n| names.number(n)), [Some(0), Some(1), Some(3)]);
        assert_eq!(["", "pat", "paths", "kernem"].map(|n| names.number(n)), [None; 4]);
    }
}
