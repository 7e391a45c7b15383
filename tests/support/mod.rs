//! What the conformance tests of all releases share: recorded answers and the host they were given on.
//!
//! A file of vectors is JSON: `files` is the host's file system (`["d", path]`, `["l", path, target]`,
//! `["f", path, size, text, mode]`; a text that is shorter than its size, or was not kept, goes on in
//! zeros, a mode that is not given is 0o755), `cases` one object a case: its input, and the answer of the
//! real runtime.

// Not every test uses every part, and what cannot be read fails the test here, too.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::Read;

use katascope::input::Host;
use katascope::input::config::Layers;
use katascope::input::host::{Errno, FileKind, Files, Stat};
use katascope::release::Release;
use katascope::runtime::{Depth, LoadOptions, Loaded, Run, Sandbox};
use serde_json::Value as Json;

/// What containerd tells the Go runtime of every recorded sandbox.
pub const GO_CRI: [(&str, &str); 4] = [
    ("io.kubernetes.cri.container-type", "sandbox"),
    ("io.kubernetes.cri.sandbox-id", "SANDBOXID"),
    ("io.kubernetes.cri.sandbox-name", "oracle-pod"),
    ("io.kubernetes.cri.sandbox-namespace", "default"),
];

/// A QEMU configuration that loads in every release where its files are there, for runtime-rs with
/// [`QEMU_NAMES`] behind it: its `[runtime]` table is still open.
pub const QEMU: &str = r#"
[hypervisor.qemu]
path = "/opt/kata/bin/qemu-system-x86_64"
kernel = "/opt/kata/share/kata-containers/vmlinux.container"
image = "/opt/kata/share/kata-containers/kata-containers.img"
machine_type = "q35"
shared_fs = "virtio-fs"
virtio_fs_daemon = "/opt/kata/libexec/virtiofsd"
virtio_fs_cache = "auto"
enable_annotations = ["enable_iommu"]
[agent.kata]
[runtime]
internetworking_model = "tcfilter"
"#;

/// What only runtime-rs has to be told: which of its parts to take.
pub const QEMU_NAMES: &str = r#"name = "virt_container"
hypervisor_name = "qemu"
agent_name = "kata"
"#;

/// Unpacks a file of vectors that was packed with gzip.
pub fn vectors(packed: &[u8]) -> Json {
    serde_json::from_str(&unpacked(packed)).unwrap()
}

/// The same as text.
pub fn unpacked(packed: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

enum Entry {
    Directory,
    Link(String),
    File(u64, String, u32),
}

/// The recorded host's files.
pub struct Recorded(BTreeMap<String, Entry>);

impl Recorded {
    /// Reads `files` of the vectors.
    pub fn new(vectors: &Json) -> Self {
        let mut entries = BTreeMap::new();
        for file in vectors["files"].as_array().unwrap() {
            let path = file[1].as_str().unwrap();
            for (at, _) in path.match_indices('/').skip(1) {
                entries.entry(path[..at].to_owned()).or_insert(Entry::Directory);
            }
            let entry = match file[0].as_str().unwrap() {
                "d" => Entry::Directory,
                "l" => Entry::Link(file[2].as_str().unwrap().to_owned()),
                _ => Entry::File(
                    file[2].as_u64().unwrap(),
                    file[3].as_str().unwrap_or_default().to_owned(),
                    file[4].as_u64().map_or(0o755, |mode| mode as u32),
                ),
            };
            entries.insert(path.to_owned(), entry);
        }
        Self(entries)
    }

    fn entry(&self, path: &str) -> Result<&Entry, Errno> {
        self.0.get(path).ok_or(Errno::NotFound)
    }
}

impl Files for Recorded {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let (kind, size, mode) = match self.entry(path)? {
            Entry::Directory => (FileKind::Directory, 4096, 0o755),
            Entry::Link(target) => (FileKind::Symlink, target.len() as u64, 0o777),
            Entry::File(size, _, mode) => (FileKind::File, *size, *mode),
        };
        Ok(Stat::new(kind, size, mode))
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        match self.entry(path)? {
            Entry::Link(target) => Ok(target.clone()),
            _ => Err(Errno::Other(22)),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        let Entry::Directory = self.entry(path)? else { return Err(Errno::NotDirectory) };
        let prefix = format!("{path}/");
        let names = self.0.keys().filter_map(|p| p.strip_prefix(&prefix)).filter(|n| !n.contains('/'));
        Ok(names.map(str::to_owned).collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        match self.entry(path)? {
            Entry::File(size, text, _) => {
                let mut bytes = text.clone().into_bytes();
                bytes.resize(usize::try_from(*size).unwrap(), 0);
                Ok(bytes)
            }
            Entry::Directory => Err(Errno::IsDirectory),
            Entry::Link(_) => Err(Errno::NotFound),
        }
    }
}

/// Numbers by value; what is empty is absent.
pub fn plain(value: &Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().map_or(Json::Null, Json::from),
        Json::String(text) if text.is_empty() => Json::Null,
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Array(items) => Json::Array(items.iter().map(plain).collect()),
        Json::Object(fields) if fields.is_empty() => Json::Null,
        Json::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            Json::Object(sorted.into_iter().map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        other => other.clone(),
    }
}

/// The annotations of the sandbox: the case's own, the CRI's, and the sizing keys.
pub fn received(case: &Json, cri: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> =
        cri.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    for (key, value) in case["annotations"].as_object().unwrap() {
        all.insert(key.clone(), value.as_str().unwrap().to_owned());
    }
    for (field, name) in [
        ("cpu_period", "cpu-period"),
        ("cpu_quota", "cpu-quota"),
        ("cpu_shares", "cpu-shares"),
        ("memory_limit", "memory"),
    ] {
        if !case[field].is_null() {
            all.insert(format!("io.kubernetes.cri.sandbox-{name}"), case[field].to_string());
        }
    }
    all
}

/// Holds the answer of a configuration that has seen other pods against that of one that has seen none:
/// what is remembered must not change it.
pub fn assert_as_fresh(release: Release, path: &str, host: &Host, sandbox: &Sandbox<'_>, used: &Run) {
    let layers = Layers::read(host, path);
    let fresh = match Loaded::load(release, &layers, host, &LoadOptions::default()) {
        Ok(loaded) => loaded.run(host, sandbox, Depth::Full),
        Err(error) => Loaded::run_without(release, &error, host, sandbox, Depth::Full),
    };
    // The whole of it, causes and findings included.
    assert_eq!(format!("{fresh:?}"), format!("{used:?}"));
}

/// What only exists at run time was recorded with a stand-in, and is printed as a token.
pub fn tokens(recorded: &str) -> String {
    recorded.replace("/var/run/netns/ORACLENETNS", "{netns}").replace("/run/user/4242", "/run/user/{uid}")
}
