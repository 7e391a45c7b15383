//! Which nodes a tree holds, and where each begins in it.
//!
//! Decides what wrote the tree by the names in it: our own list, a sosreport's folder, a must-gather's `nodes`, or
//! a root file system at any depth.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Collection, Origin, facts, limits, record};
use crate::input::host::{Errno, FileKind, Files, HostFacts, Stat};

/// A tree from one of its folders on.
struct Below {
    files: Arc<dyn Files>,
    folder: String,
}

impl Below {
    fn path(&self, path: &str) -> String {
        if path == "/" { self.folder.clone() } else { format!("{}{path}", self.folder) }
    }
}

impl Files for Below {
    fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        self.files.lstat(&self.path(path))
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        self.files.read_link(&self.path(path))
    }

    fn read_dir(&self, path: &str) -> Result<Vec<String>, Errno> {
        self.files.read_dir(&self.path(path))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        self.files.read(&self.path(path))
    }

    fn sha512(&self, path: &str) -> Result<[u8; 64], Errno> {
        self.files.sha512(&self.path(path))
    }

    fn lists(&self, folder: &str) -> bool {
        self.files.lists(&self.path(folder))
    }

    fn is_absent(&self, path: &str) -> bool {
        self.files.is_absent(&self.path(path))
    }
}

/// A file's name without the endings of archives.
pub(super) fn stem(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    const ENDS: [&str; 11] =
        [".tar.gz", ".tar.xz", ".tgz", ".txz", ".tar", ".zip", ".md", ".log", ".txt", ".gz", ".xz"];
    let end = ENDS.iter().find_map(|end| name.strip_suffix(end).filter(|rest| !rest.is_empty()));
    end.map_or(name.clone(), str::to_owned)
}

fn is_folder(files: &dyn Files, path: &str) -> bool {
    files.lstat(path).is_ok_and(|stat| stat.kind == FileKind::Directory)
}

/// Whether a node's root may be here: a file of it that counts, or a whole one.
fn is_root(files: &dyn Files, folder: &str) -> bool {
    const SIGNS: [&str; 14] = [
        "etc/containerd",
        "etc/crio",
        "etc/cri",
        "etc/k0s",
        "etc/kata-containers",
        "etc/os-release",
        "opt/kata",
        "opt/confidential-containers",
        "usr/share/defaults/kata-containers",
        "usr/share/kata-containers",
        "usr/local/share/kata-containers",
        "var/lib/rancher",
        "var/snap/microk8s",
        "proc/cpuinfo",
    ];
    let folder = folder.trim_end_matches('/');
    SIGNS.iter().any(|sign| files.lstat(&format!("{folder}/{sign}")).is_ok())
}

/// The nodes of a tree, by name.
pub(super) fn nodes(files: Arc<dyn Files>, stem: &str, given: &HostFacts) -> Result<Vec<Collection>, String> {
    if let Ok(list) = files.read(record::LIST) {
        return record::opened(&files, &list, stem, given).map(|node| vec![node]);
    }
    let found = roots(&*files);
    if found.is_empty() {
        let what = "holds no node: no /etc, /opt/kata or /usr/share of a host at any depth";
        return Err(what.to_owned());
    }
    let single = found.len() == 1;
    let node = |(folder, origin): (String, Origin)| {
        let name = match (origin, folder.rsplit('/').next()) {
            (Origin::MustGather, Some(name)) => name.to_owned(),
            (Origin::SosReport, Some(name)) => host_of_report(if name.is_empty() { stem } else { name }),
            (_, Some(name)) if !single && !name.is_empty() => name.to_owned(),
            _ => stem.to_owned(),
        };
        let below: Arc<dyn Files> = if folder == "/" {
            Arc::clone(&files)
        } else {
            Arc::new(Below { files: Arc::clone(&files), folder: folder.clone() })
        };
        let mut facts = given.clone();
        facts::of_tree(&*below, &mut facts);
        if origin == Origin::MustGather {
            facts::of_must_gather(&*files, &folder, &name, &mut facts);
        }
        let kata_version = facts::kata_version(&*below);
        let containerd_version = facts::containerd_version(&*below);
        Collection {
            name,
            origin,
            files: below,
            facts,
            kata_version,
            containerd_version,
            said: BTreeMap::new(),
            withheld: Vec::new(),
        }
    };
    Ok(found.into_iter().map(node).collect())
}

/// `sosreport-HOST-DATE-RANDOM`.
fn host_of_report(folder: &str) -> String {
    let rest = folder.strip_prefix("sosreport-").or_else(|| folder.strip_prefix("sos-")).unwrap_or(folder);
    let host: Vec<&str> =
        rest.split('-').take_while(|part| part.len() != 4 || part.parse::<u16>().is_err()).collect();
    if host.is_empty() { folder.to_owned() } else { host.join("-") }
}

/// Folder by folder from the top, until some are roots.
fn roots(files: &dyn Files) -> Vec<(String, Origin)> {
    const DEEPEST: usize = 6;
    let mut level = vec!["/".to_owned()];
    let mut visited = 0;
    for _ in 0..DEEPEST {
        let mut next = Vec::new();
        let mut found = Vec::new();
        for folder in level {
            visited += 1;
            if visited > limits::FOLDERS {
                return found;
            }
            let inside = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
            if is_folder(files, &inside("sos_commands")) {
                found.push((folder, Origin::SosReport));
                continue;
            }
            let names = files.read_dir(&folder).unwrap_or_default();
            let gathered = folder.ends_with("/nodes")
                && names.iter().any(|name| is_folder(files, &inside(name)))
                && !is_root(files, &folder);
            if gathered {
                found.extend(
                    names
                        .iter()
                        .map(|name| inside(name))
                        .filter(|path| is_folder(files, path))
                        .map(|p| (p, Origin::MustGather)),
                );
                continue;
            }
            if is_root(files, &folder) {
                found.push((folder, Origin::Root));
                continue;
            }
            next.extend(names.iter().map(|name| inside(name)).filter(|path| is_folder(files, path)));
        }
        if !found.is_empty() {
            found.sort_by(|a, b| a.0.cmp(&b.0));
            return found;
        }
        level = next;
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::host::MemoryFiles;

    #[test]
    fn nodes_are_found_wherever_they_lie() {
        let at = |paths: &[&str]| {
            let files = paths.iter().fold(MemoryFiles::new(), |files, path| files.file(path, 0o644, "x"));
            roots(&files)
        };
        let path = |text: &str, origin| (text.to_owned(), origin);
        assert_eq!(at(&["/etc/containerd/config.toml"]), [path("/", Origin::Root)]);
        assert_eq!(at(&["/a/b/host/opt/kata/VERSION"]), [path("/a/b/host", Origin::Root)]);
        assert_eq!(
            at(&["/mg/nodes/n2/version", "/mg/nodes/n1/dmesg", "/mg/timestamp"]),
            [path("/mg/nodes/n1", Origin::MustGather), path("/mg/nodes/n2", Origin::MustGather)]
        );
        let report = "/sosreport-w1-2026-11-28-abc";
        assert_eq!(
            at(&[
                &format!("{report}/sos_commands/crio/crio_config"),
                &format!("{report}/etc/crio/crio.conf")
            ]),
            [path(report, Origin::SosReport)]
        );
        assert_eq!(host_of_report("sosreport-w-1-2026-11-28-abc"), "w-1");
        assert!(at(&["/x/readme"]).is_empty());
    }
}
