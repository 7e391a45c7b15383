//! How far reading an input has come, for whoever waits: which file, how much of it, and what follows.
//!
//! Counts only; the one who reads tells it, the one who waits asks it, on different threads.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is being done.
#[derive(Debug, Default)]
enum Doing {
    #[default]
    Starting,
    /// The shown name, and the size where it is known.
    File(String, Option<u64>),
    /// How many.
    Pods(usize),
    /// Which, and of how many.
    Node(usize, usize),
}

/// What is read, and how far.
#[derive(Debug, Default)]
pub struct Reading {
    doing: Mutex<Doing>,
    taken: AtomicU64,
}

impl Reading {
    fn set(&self, doing: Doing) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
    }

    /// A file is begun.
    pub fn file(&self, shown: &str, size: Option<u64>) {
        self.taken.store(0, Ordering::Relaxed);
        self.set(Doing::File(shown.to_owned(), size));
    }

    /// Everything is read; it is asked what becomes of the pods.
    pub fn pods(&self, count: usize) {
        self.set(Doing::Pods(count));
    }

    /// All pods are held against this node.
    pub fn node(&self, number: usize, of: usize) {
        self.set(Doing::Node(number, of));
    }

    /// In words.
    pub fn words(&self) -> String {
        let taken = self.taken.load(Ordering::Relaxed);
        match &*self.doing.lock().unwrap_or_else(PoisonError::into_inner) {
            Doing::Starting => "reading the configuration".into(),
            Doing::File(name, Some(size)) => {
                format!("reading {name}: {} of {}", mb(taken.min(*size)), mb(*size))
            }
            Doing::File(name, None) => format!("reading {name}: {} so far", mb(taken)),
            Doing::Pods(1) => "evaluating 1 pod".into(),
            Doing::Node(number, of) => format!("evaluating the pods on node {number} of {of}"),
            Doing::Pods(count) => format!("evaluating the first of {count} pods"),
        }
    }
}

fn mb(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// A reader whose bytes are counted.
#[derive(Debug)]
pub struct Counted<R> {
    /// What is read from.
    pub inner: R,
    /// Who is told.
    pub reading: Arc<Reading>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.reading.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_far_it_is() {
        let reading = Arc::new(Reading::default());
        assert_eq!(reading.words(), "reading the configuration");
        reading.file("pods.yaml", Some(5_060_000));
        let bytes = vec![0; 3_140_000];
        let mut counted = Counted { inner: bytes.as_slice(), reading: reading.clone() };
        io::copy(&mut counted, &mut io::sink()).unwrap();
        assert_eq!(reading.words(), "reading pods.yaml: 3.1 MB of 5.0 MB");
        reading.file("<stdin>", None);
        assert_eq!(reading.words(), "reading <stdin>: 0.0 MB so far");
        reading.pods(1);
        assert_eq!(reading.words(), "evaluating 1 pod");
    }
}
