//! A node that came home in a file: archives and folders of its files, and what collectors print.
//!
//! Decides what a file is by its first bytes, unpacks it into memory and nowhere else, and finds the nodes in it.
//! Never guesses: what a collection does not hold is named (`Collection::lacks`), and looking for it gives no
//! answer. Everything is bounded (`limits`), since archives come out of bug reports. Facts: what each collector
//! takes along, src/runtime/data/kata-collect-data.sh.in at 4.1.0, sos/report/plugins of sosreport and
//! must-gather/collection-scripts of the OpenShift operator.

mod facts;
mod limits;
mod markdown;
pub mod record;
mod secrets;
mod shape;
mod tar;
mod tree;
mod zip;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha512};

use super::host::{DiskFiles, Files, HostFacts};
use limits::{Bounded, Budget};
pub use tree::Tree;

/// Why a collection cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct ArchiveError {
    /// As the user named it.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What wrote a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `katascope collect`.
    Collect,
    /// kata-collect-data.sh.
    CollectData,
    /// A node's folder in a must-gather.
    MustGather,
    /// A sosreport.
    SosReport,
    /// A root file system, or some of it.
    Root,
}

impl Origin {
    /// As reports name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "katascope collect",
            Self::CollectData => "kata-collect-data.sh",
            Self::MustGather => "must-gather",
            Self::SosReport => "sosreport",
            Self::Root => "file system",
        }
    }

    /// What collections of this kind never hold.
    pub fn lacks(self) -> &'static [&'static str] {
        match self {
            Self::Collect | Self::Root => &[],
            Self::CollectData => &[
                "drop-ins (config.d)",
                "configuration files of other handlers and of runtime-rs",
                "files that containerd's file imports",
                "which files of the host exist",
            ],
            Self::MustGather => &["/etc/crio", "Kata's configuration files", "which files of the host exist"],
            Self::SosReport => &[
                "Kata's configuration files below /opt/kata",
                "drop-ins (config.d)",
                "which files of the host exist",
            ],
        }
    }
}

/// One node, as far as somebody collected it.
#[derive(Clone)]
pub struct Collection {
    /// The node's name.
    pub name: String,
    /// What wrote it.
    pub origin: Origin,
    /// Its files; what is not among them may be there all the same, unless `Files::is_absent` says otherwise.
    pub files: Arc<dyn Files>,
    /// What is told of its hardware, each fact with its origin; the others as given.
    pub facts: HostFacts,
    /// Kata's version, where the collection tells.
    pub kata_version: Option<String>,
    /// containerd's version, where the collection tells.
    pub containerd_version: Option<String>,
    /// What the collector was asked about, by the option that names it.
    pub said: BTreeMap<String, String>,
    /// What was left out on purpose, by its place.
    pub withheld: Vec<String>,
}

impl std::fmt::Debug for Collection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collection")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Collection {
    /// What two nodes have in common that fare alike with every pod: all but their names. `None` where the files are
    /// not all in memory.
    pub fn likeness(&self) -> Option<[u8; 64]> {
        let mut hash = Sha512::new();
        hash.update(self.files.digest()?);
        let told = (&self.facts, &self.kata_version, &self.containerd_version, &self.said, self.origin);
        hash.update(format!("{told:?}"));
        Some(hash.finalize().into())
    }

    /// What is not in it though an answer may need it.
    pub fn lacks(&self) -> Vec<String> {
        self.origin
            .lacks()
            .iter()
            .map(|what| (*what).to_owned())
            .chain(self.withheld.iter().cloned())
            .collect()
    }
}

/// Opens what somebody collected: one node, or several where a collection holds several. `facts` are what holds
/// where the collection is silent.
pub fn open(path: &Path, facts: &HostFacts) -> Result<Vec<Collection>, ArchiveError> {
    let shown = path.display().to_string();
    let failed = |reason: String| ArchiveError { path: shown.clone(), reason };
    let plain =
        |e: io::Error| failed(e.to_string().split(" (os error").next().unwrap_or_default().to_owned());
    let meta = std::fs::metadata(path).map_err(plain)?;
    let stem = shape::stem(path);
    if meta.is_dir() {
        return shape::nodes(Arc::new(DiskFiles::new(path)), &stem, facts).map_err(failed);
    }
    if !meta.is_file() {
        return Err(failed("neither a file nor a folder".into()));
    }
    let mut file = File::open(path).map_err(plain)?;
    let mut head = Vec::new();
    file.by_ref().take(512).read_to_end(&mut head).map_err(plain)?;
    file.rewind().map_err(plain)?;
    let budget = Budget::new(meta.len());
    let packed = BufReader::with_capacity(1 << 16, file);
    let tree = match Form::of(&head) {
        Form::Gzip => tar::read(Bounded::new(flate2::bufread::MultiGzDecoder::new(packed), budget)),
        Form::Xz => tar::read(Bounded::new(lzma_rust2::XzReader::new(packed, true), budget)),
        Form::Tar => tar::read(Bounded::new(packed, budget)),
        Form::Zip => zip::read(packed, &budget),
        Form::Text => {
            let mut text = String::new();
            packed
                .take(limits::TEXT)
                .read_to_string(&mut text)
                .map_err(|_| failed("no archive that is known here, and no text".into()))?;
            return markdown::read(&text, &stem, facts).map(|node| vec![node]).map_err(failed);
        }
    };
    shape::nodes(Arc::new(tree.map_err(failed)?), &stem, facts).map_err(failed)
}

/// The path that files about a collection are named after, beside it: `w1` for `w1.tar.gz`.
pub fn beside(place: &str) -> String {
    const ENDINGS: [&str; 8] = [".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar", ".zip", ".md", ".txt"];
    let (path, node) = match place.rsplit_once('#') {
        Some((path, node)) => (path, Some(node)),
        None => (place, None),
    };
    let path = path.trim_end_matches('/');
    let stem = ENDINGS.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    node.map_or_else(|| stem.to_owned(), |node| format!("{stem}-{node}"))
}

/// A file's content without what logs somebody in; `None` where that cannot be told apart.
pub fn without_secrets(path: &str, content: Vec<u8>) -> Option<Vec<u8>> {
    secrets::without(path, content).0
}

/// Whether a text is what kata-collect-data.sh prints.
pub fn is_collect_data(text: &str) -> bool {
    markdown::is_one(text)
}

enum Form {
    Gzip,
    Xz,
    Tar,
    Zip,
    Text,
}

impl Form {
    fn of(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if head.starts_with(b"\xfd7zXZ\0") {
            Self::Xz
        } else if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            Self::Zip
        } else if head.get(257..262) == Some(b"ustar")
            || head.len() == 512 && head.iter().all(|byte| *byte == 0)
        {
            Self::Tar
        } else {
            Self::Text
        }
    }
}
