//! What `collect` takes home: each answer that a node's files gave while its handlers were looked at.
//!
//! Decides what an archive holds: the looked-up paths with their kind, size and mode, the bytes of those that were
//! read, the digest of small ones, the names in listed folders, and what was not there. Nobody's secrets: values
//! that log somebody in are left out and named. The list comes first in the archive, a line a path.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::tree::{Tree, absolute};
use super::{Collection, Origin, limits, secrets};
use crate::input::host::{Errno, FactOrigin, FileKind, Files, HostFacts, Stat, hex};
use crate::input::{Source, probe};

/// The list of an archive, from its top.
pub(super) const LIST: &str = "/katascope-node.tsv";
const FACTS: &str = "/host.toml";
/// The folder of an archive in which the files are.
const FILES: &str = "root";
const FIRST: &str = "katascope-node\t1\t";

/// One path, as far as somebody asked.
#[derive(Debug, Clone, Default)]
struct Seen {
    stat: Option<Result<Stat, Errno>>,
    target: Option<String>,
    listed: bool,
    content: Option<Vec<u8>>,
    digest: Option<[u8; 64]>,
}

/// A host's files that remember what they were asked.
pub struct Recorder {
    files: Arc<dyn Files>,
    seen: Mutex<BTreeMap<String, Seen>>,
}

impl Recorder {
    /// Over these files.
    pub fn new(files: Arc<dyn Files>) -> Self {
        Self { files, seen: Mutex::default() }
    }

    fn note(&self, path: &str, change: impl FnOnce(&mut Seen)) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        change(seen.entry(path.to_owned()).or_default());
    }

    /// Everything that was asked, with what belongs to it. `said` is what the question was about, by the option
    /// that names it: `config` and a path on the node.
    pub fn finish(&self, name: &str, facts: &HostFacts, said: Vec<(String, String)>) -> Recorded {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let folders: Vec<String> =
            seen.iter().filter(|(_, s)| s.listed).map(|(path, _)| path.clone()).collect();
        for folder in folders {
            for name in self.files.read_dir(&folder).unwrap_or_default() {
                let path = format!("{}/{name}", folder.trim_end_matches('/'));
                let stat = self.files.lstat(&path);
                let entry = seen.entry(path.clone()).or_default();
                entry.stat.get_or_insert(stat);
            }
        }
        for (path, entry) in &mut seen {
            match entry.stat {
                Some(Ok(stat)) if stat.kind == FileKind::Symlink => {
                    entry.target = entry.target.take().or_else(|| self.files.read_link(path).ok());
                }
                Some(Ok(stat)) if stat.kind == FileKind::File && stat.size <= limits::DIGESTED => {
                    entry.digest = self.files.sha512(path).ok();
                }
                _ => {}
            }
        }
        let mut withheld = Vec::new();
        for (path, entry) in &mut seen {
            let Some(content) = entry.content.take() else { continue };
            let (kept, left_out) = secrets::without(path, content);
            withheld.extend(left_out);
            entry.content = kept;
        }
        Recorded { name: name.to_owned(), facts: facts.clone(), seen, withheld, said }
    }
}

impl Files for Recorder {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        let answer = self.files.lstat(path);
        self.note(path, |seen| seen.stat = Some(answer));
        answer
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let answer = self.files.read_link(path);
        self.note(path, |seen| seen.target = answer.clone().ok());
        answer
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        let answer = self.files.read_dir(path);
        self.note(path, |seen| seen.listed = answer.is_ok());
        answer
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let answer = self.files.read(path);
        self.note(path, |seen| seen.content = answer.clone().ok());
        answer
    }

    fn sha512(&self, path: &str) -> Result<[u8; 64], Errno> {
        let answer = self.files.sha512(path);
        self.note(path, |seen| seen.digest = answer.ok());
        answer
    }
}

/// What goes into an archive.
#[derive(Debug)]
pub struct Recorded {
    name: String,
    facts: HostFacts,
    seen: BTreeMap<String, Seen>,
    withheld: Vec<String>,
    said: Vec<(String, String)>,
}

/// A text in one cell of the list.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn uncell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some(other)) => out.push(other),
            (c, _) => out.push(c),
        }
    }
    out
}

impl Recorded {
    /// The node's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many paths are listed.
    pub fn paths(&self) -> usize {
        self.seen.len()
    }

    /// How many of them have their bytes with them.
    pub fn contents(&self) -> usize {
        self.seen.values().filter(|seen| seen.content.is_some()).count()
    }

    /// What was left out, by its place.
    pub fn withheld(&self) -> &[String] {
        &self.withheld
    }

    /// The list: one line a path, as it stands in the archive and as it is shown before.
    pub fn list(&self) -> String {
        let mut out = format!("{FIRST}{}\n", cell(&self.name));
        for (path, seen) in &self.seen {
            let (kind, stat) = match seen.stat {
                Some(Ok(stat)) => (word(stat.kind, seen), Some(stat)),
                Some(Err(Errno::NotFound)) => ("absent", None),
                Some(Err(_)) | None => continue,
            };
            let (mode, size) = stat.map_or((0, 0), |stat| (stat.mode, stat.size));
            let digest = seen.digest.filter(|_| seen.content.is_none());
            let digest = digest.map_or_else(|| "-".to_owned(), |digest| hex(&digest));
            let target = seen.target.as_deref().map(cell).unwrap_or_default();
            let _ = writeln!(out, "{kind}\t{mode:o}\t{size}\t{digest}\t{}\t{target}", cell(path));
        }
        for (option, value) in &self.said {
            let _ = writeln!(out, "said\t0\t0\t-\t{}\t{}", cell(option), cell(value));
        }
        for what in &self.withheld {
            let _ = writeln!(out, "withheld\t0\t0\t-\t{}\t", cell(what));
        }
        out
    }

    /// Writes the archive, packed.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
        self.write_tar(&mut packed)?;
        packed.finish()?.flush()
    }

    fn write_tar(&self, out: impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(out);
        let mut put = |name: String, mode: u32, bytes: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(mode);
            archive.append_data(&mut header, name, bytes)
        };
        put(LIST.trim_start_matches('/').to_owned(), 0o644, self.list().as_bytes())?;
        put(FACTS.trim_start_matches('/').to_owned(), 0o644, host_file(&self.facts).as_bytes())?;
        for (path, seen) in &self.seen {
            if let Some(content) = &seen.content {
                put(format!("{FILES}{path}"), 0o644, content)?;
            }
        }
        archive.into_inner()?.flush()
    }
}

fn word(kind: FileKind, seen: &Seen) -> &'static str {
    match kind {
        FileKind::File if seen.content.is_some() => "content",
        FileKind::File => "file",
        FileKind::Directory if seen.listed => "listed",
        FileKind::Directory => "folder",
        FileKind::Symlink => "link",
        FileKind::Other => "other",
    }
}

/// The facts as a `--host` file; those that nobody knows are left out.
fn host_file(facts: &HostFacts) -> String {
    let known = |name: &str| facts.origins.get(name) != Some(&FactOrigin::Assumed);
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        if known(name) {
            let _ = writeln!(out, "{name} = {value}");
        }
    };
    line("arch", format!("\"{}\"", facts.arch.as_str()));
    line("cpus", facts.cpus.to_string());
    if let Some(allowed) = facts.cpus_allowed {
        line("cpus_allowed", allowed.to_string());
    }
    line("memory_mib", facts.memory_mib.to_string());
    line("nested", facts.nested.to_string());
    line("protection", format!("\"{}\"", facts.protection.as_str()));
    line("vhost_vsock", facts.vhost_vsock.to_string());
    line("hugepages", facts.hugepages.to_string());
    if let Some(qgs_socket) = facts.qgs_socket {
        line("qgs_socket", qgs_socket.to_string());
    }
    for node in &facts.numa {
        let _ = write!(out, "\n[[numa]]\ncpus = {:?}\nmemory_mib = {}\n", node.cpus, node.memory_mib);
    }
    if known("network") && facts.origins.contains_key("network") {
        out.push('\n');
        out.push_str(&facts.network.table());
    }
    out
}

/// Reads an archive of ours: its tree, and its list.
pub(super) fn opened(
    files: &Arc<dyn Files>,
    list: &[u8],
    stem: &str,
    given: &HostFacts,
) -> Result<Collection, String> {
    let list = String::from_utf8_lossy(list);
    let mut lines = list.lines();
    let first = lines.next().unwrap_or_default();
    let Some(name) = first.strip_prefix(FIRST).map(uncell) else {
        return Err(format!("its list begins with {first:?}: written by a katascope of another time"));
    };
    let mut tree = Tree::default();
    let mut withheld = Vec::new();
    let mut said = BTreeMap::new();
    for (number, line) in lines.enumerate() {
        let broken = || format!("line {} of its list is broken", number + 2);
        let cells: Vec<&str> = line.split('\t').collect();
        let [kind, mode, size, digest, path, target] = cells[..] else { return Err(broken()) };
        match kind {
            "withheld" => {
                withheld.push(uncell(path));
                continue;
            }
            "said" => {
                said.insert(uncell(path), uncell(target));
                continue;
            }
            _ => {}
        }
        let mode = u32::from_str_radix(mode, 8).map_err(|_| broken())?;
        let size: u64 = size.parse().map_err(|_| broken())?;
        let digest = if digest == "-" { None } else { Some(unhex(digest).ok_or_else(broken)?) };
        let Some(path) = absolute(&uncell(path))? else {
            if kind == "listed" {
                tree.listed("/".to_owned());
            }
            continue;
        };
        match kind {
            "content" => {
                let content =
                    files.read(&format!("/{FILES}{path}")).map_err(|_| format!("{path} is not in it"))?;
                tree.file(path.clone(), content.len() as u64, mode, content.as_slice())?;
                tree.correct(&path, size, mode);
            }
            "file" => tree.known(path, FileKind::File, size, mode, digest)?,
            "folder" => tree.known(path, FileKind::Directory, size, mode, None)?,
            "listed" => {
                tree.listed(path.clone());
                tree.known(path, FileKind::Directory, size, mode, None)?;
            }
            "link" => tree.link(path, &uncell(target))?,
            "other" => tree.known(path, FileKind::Other, size, mode, None)?,
            "absent" => tree.absent(path),
            _ => return Err(broken()),
        }
    }
    let mut facts = given.clone();
    if let Ok(text) = files.read(FACTS) {
        let source = Source::new(FACTS, String::from_utf8_lossy(&text));
        told(&mut facts, &source)?;
    }
    let name = if name.is_empty() { stem.to_owned() } else { name };
    Ok(Collection {
        name,
        origin: Origin::Collect,
        files: Arc::new(tree),
        facts,
        kata_version: None,
        containerd_version: None,
        said,
        withheld,
    })
}

/// Takes the collection's facts over, but where somebody said otherwise on the command line.
fn told(facts: &mut HostFacts, source: &Source) -> Result<(), String> {
    let mut told = HostFacts { origins: BTreeMap::new(), ..facts.clone() };
    probe::apply_host_file(&mut told, source).map_err(|e| e.to_string())?;
    let said: Vec<&'static str> = told.origins.keys().copied().collect();
    for name in said {
        if !facts.is_told(name, FactOrigin::Collected) {
            continue;
        }
        match name {
            "arch" => facts.arch = told.arch,
            "cpus" => {
                facts.cpus = told.cpus;
                facts.cpus_allowed = told.cpus_allowed;
            }
            "cpus_allowed" => facts.cpus_allowed = told.cpus_allowed,
            "memory_mib" => facts.memory_mib = told.memory_mib,
            "nested" => facts.nested = told.nested,
            "protection" => facts.protection = told.protection,
            "vhost_vsock" => facts.vhost_vsock = told.vhost_vsock,
            "hugepages" => facts.hugepages = told.hugepages,
            "qgs_socket" => facts.qgs_socket = told.qgs_socket,
            "network" => facts.network = told.network.clone(),
            _ => facts.numa = told.numa.clone(),
        }
    }
    Ok(())
}

fn unhex(text: &str) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    if text.len() != 128 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}
