//! What of an archive is read before it is given up.
//!
//! Decides how much an archive may unpack to, how many files it may have and how much of them is kept. A whole
//! root file system and a large sosreport fit; what is made to fill memory or time does not.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Entries of one archive.
pub(super) const ENTRIES: usize = 500_000;
/// Bytes of all names and link targets together.
pub(super) const NAMES: usize = 96 << 20;
/// The longest name; Linux takes no longer path.
pub(super) const NAME: usize = 4096;
/// Bytes of all files that are kept.
pub(super) const KEPT: usize = 256 << 20;
/// The largest file whose digest is taken.
pub(super) const DIGESTED: u64 = 1 << 20;
/// Any file up to this size is kept whole.
pub(super) const SMALL: u64 = 64 << 10;
/// The largest document of a collector that is read.
pub(super) const TEXT: u64 = 64 << 20;
/// Folders that are looked into for a node.
pub(super) const FOLDERS: usize = 20_000;

/// Bytes that an archive may unpack to.
const UNPACKED: u64 = 8 << 30;
/// From here on it must not be far larger than its packed form.
const SUSPICIOUS: u64 = 1 << 30;
const RATIO: u64 = 200;

/// What is left of an archive's bounds. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    packed: u64,
    read: Arc<AtomicU64>,
}

impl Budget {
    pub(super) fn new(packed: u64) -> Self {
        Self { packed, read: Arc::default() }
    }

    /// Counts unpacked bytes; an error once there are too many.
    pub(super) fn spend(&self, bytes: u64) -> Result<(), String> {
        let read = self.read.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if read > UNPACKED {
            return Err(format!("unpacks to more than {} GiB", UNPACKED >> 30));
        }
        if read > SUSPICIOUS && read / RATIO > self.packed {
            return Err(format!("unpacks to more than {RATIO} times its size: made to fill a disk"));
        }
        Ok(())
    }
}

/// A reader that counts.
pub(super) struct Bounded<R> {
    inner: R,
    budget: Budget,
}

impl<R> Bounded<R> {
    pub(super) fn new(inner: R, budget: Budget) -> Self {
        Self { inner, budget }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.spend(read as u64).map_err(io::Error::other)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bombs_are_given_up_on() {
        let modest = Budget::new(64 << 20);
        assert_eq!(modest.spend(2 << 30), Ok(()), "a root file system is as large");
        assert_eq!(modest.spend(7 << 30), Err("unpacks to more than 8 GiB".to_owned()));
        let bomb = Budget::new(1 << 20);
        assert_eq!(bomb.spend(1 << 30), Ok(()));
        assert!(bomb.clone().spend(1).is_err_and(|why| why.contains("made to fill a disk")));
        // Zeros without end, as a tar file holds them.
        let mut zeros = Bounded::new(io::repeat(0), Budget { read: Arc::new((8 << 30).into()), packed: 1 });
        assert!(zeros.read(&mut [0; 512]).is_err());
    }
}
