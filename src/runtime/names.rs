//! A fixed set of names, and which of them a text is.
//!
//! Every release looks up every annotation of every pod. Names are told apart by their length first, for
//! those of a release begin alike.

/// Names with their numbers.
pub(super) struct Names {
    /// By length: the names that have it.
    by_length: Vec<Vec<(&'static str, usize)>>,
}

impl Names {
    /// Numbers them in the order given; of equal ones the first counts.
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let mut by_length: Vec<Vec<(&'static str, usize)>> = Vec::new();
        for (number, name) in names.enumerate() {
            by_length.resize_with(by_length.len().max(name.len() + 1), Vec::new);
            if let Some(alike) = by_length.get_mut(name.len()) {
                alike.push((name, number));
            }
        }
        Self { by_length }
    }

    /// The number of `name`.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let mut alike = self.by_length.get(name.len())?.iter();
        alike.find(|(own, _)| *own == name).map(|(_, number)| *number)
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
