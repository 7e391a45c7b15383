//! Any bytes as what somebody collected on a node: an archive, or what kata-collect-data.sh prints.
//! The first byte chooses: the file as it is, a tar inside gzip, or a tar made of the texts. Pods are evaluated on
//! the node that it holds.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use katascope::cri::Engine;
use katascope::cri::containerd::{Containerd, Release};
use katascope::cri::crio::Crio;
use katascope::evaluate::node::NodeEvaluator;
use katascope::input::archive::{self, without_secrets};
use katascope::input::config::Layers;
use katascope::input::host::{Host, HostFacts};
use katascope::input::manifest::{self, Pod};
use katascope::node::places::{self, Kind};
use katascope::node::{Node, Said};
use katascope::report::escape::is_hostile;
use katascope::report::text::{self, Paint};
use katascope::runtime::Depth;
use katascope::sample;

/// What the fuzzer makes up.
pub type Input<'a> = (u8, &'a [u8], Vec<(&'a str, &'a str)>);

/// Where the file is written, which is opened by its path; a file for each process.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
    folder.join(format!("katascope-fuzz-{}", std::process::id()))
});

static PODS: LazyLock<Vec<Pod>> = LazyLock::new(|| {
    manifest::read(&sample::pods()).into_iter().flat_map(|documents| documents.pods).collect()
});

/// A tar of texts, whatever their names are.
fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, text) in entries {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        let length = name.len().min(old.name.len());
        old.name[..length].copy_from_slice(&name.as_bytes()[..length]);
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(if name.ends_with("->") {
            tar::EntryType::Symlink
        } else {
            tar::EntryType::Regular
        });
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(text.as_bytes());
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (choice, bytes, entries) = input;
    let content = match choice % 3 {
        0 => bytes.to_vec(),
        1 => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut gzip, bytes).unwrap();
            gzip.finish().unwrap()
        }
        _ => tar(&entries),
    };
    fs::write(FILE.as_path(), content).unwrap();
    let opened = archive::open(FILE.as_path(), &HostFacts::default());
    fs::remove_file(FILE.as_path()).unwrap();
    for node in opened.into_iter().flatten() {
        let _ = node.lacks();
        assert_eq!(node.likeness(), node.clone().likeness(), "a node is like itself");
        let host = Host::new(node.facts.clone(), Arc::clone(&node.files));
        for (name, _) in &entries {
            let path = format!("/{}", name.trim_start_matches('/'));
            let _ = host.canonicalize(&path);
            let _ = host.read_dir(&path);
            if let Ok(read) = host.read(&path) {
                let _ = without_secrets(&path, read);
            }
        }
        let _ = Layers::read(&host, "/etc/kata-containers/configuration.toml");
        evaluated(host);
    }
}

/// Pods on the node, each for itself.
fn evaluated(host: Host) {
    let Some(found) = places::find(&host, None) else { return };
    let engine = match found.kind {
        Kind::Containerd => {
            Engine::Containerd(Box::new(Containerd::read(&host, found.path, Release::NEWEST, None)))
        }
        Kind::Crio => Engine::Crio(Box::new(Crio::read(&host, found.path, None))),
    };
    let node = NodeEvaluator::new(Node::new(host, engine, &Said::default()), None, None);
    for pod in PODS.iter().take(3) {
        let evaluation = node.evaluate_and_advise(pod, Depth::Full);
        let text = text::traced_pod(pod, &evaluation, Paint { color: false });
        let hostile = text.chars().find(|c| *c != '\n' && is_hostile(*c));
        assert_eq!(hostile, None, "shown raw: {text:?}");
    }
}
