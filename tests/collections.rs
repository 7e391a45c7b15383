//! Nodes that come home in files: every form of collection, and archives made to do harm.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use katascope::input::Host;
use katascope::input::archive::record::Recorder;
use katascope::input::archive::{Collection, Origin, open};
use katascope::input::host::{Errno, FactOrigin, FileKind, Files, HostFacts, Look, MemoryFiles};

const CONFIG: &str = "[runtime]\n";
const CONFIG_PATH: &str = "/opt/kata/share/defaults/kata-containers/configuration.toml";

fn tar_of(entries: &[(&str, &[u8])], out: impl Write) {
    let mut archive = tar::Builder::new(out);
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap().flush().unwrap();
}

fn gzip(path: &Path) -> flate2::write::GzEncoder<File> {
    flate2::write::GzEncoder::new(File::create(path).unwrap(), flate2::Compression::fast())
}

fn one(path: &Path) -> Collection {
    let mut nodes = open(path, &HostFacts::default()).unwrap();
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    nodes.remove(0)
}

fn refused(path: &Path) -> String {
    open(path, &HostFacts::default()).unwrap_err().to_string()
}

fn read(node: &Collection, path: &str) -> String {
    String::from_utf8(node.files.read(path).unwrap()).unwrap()
}

const INFO: &str = "processor\t: 0\nflags\t\t: fpu vme hypervisor\n\nprocessor\t: 1\nflags\t\t: fpu\n";

fn some_root(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let name = |path: &str| format!("{prefix}{path}");
    vec![
        (name(CONFIG_PATH.trim_start_matches('/')), CONFIG.into()),
        (name("opt/kata/bin/qemu"), vec![0; 2 << 20]),
        (name("opt/kata/bin/small"), vec![7; 100_000]),
        (name("proc/cpuinfo"), INFO.into()),
        (name("proc/meminfo"), b"MemTotal:       16384000 kB\n".to_vec()),
    ]
}

fn borrowed(entries: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    entries.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

#[test]
fn a_tree_is_the_same_in_every_form() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let root = some_root("some/where/");
    tar_of(&borrowed(&root), File::create(at("a.tar")).unwrap());
    tar_of(&borrowed(&root), gzip(&at("a.tar.gz")));
    let plain = std::fs::read(at("a.tar")).unwrap();
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut xz = lzma_rust2::XzWriter::new(File::create(at("a.tar.xz")).unwrap(), options).unwrap();
    xz.write_all(&plain).unwrap();
    xz.finish().unwrap();
    let mut zip = zip::ZipWriter::new(File::create(at("a.zip")).unwrap());
    for (name, bytes) in &root {
        zip.start_file(name.as_str(), zip::write::SimpleFileOptions::default().unix_permissions(0o755))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    for (name, bytes) in &root {
        let path = at("folder").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    for form in ["a.tar", "a.tar.gz", "a.tar.xz", "a.zip", "folder"] {
        let node = one(&at(form));
        assert_eq!(node.origin, Origin::Root, "{form}");
        assert_eq!(read(&node, CONFIG_PATH), CONFIG, "{form}");
        let qemu = node.files.lstat("/opt/kata/bin/qemu").unwrap();
        assert_eq!((qemu.kind, qemu.size), (FileKind::File, 2 << 20), "{form}");
        assert_eq!(node.files.read_dir("/opt/kata/bin").unwrap(), ["qemu", "small"], "{form}");
        assert!(node.files.sha512("/opt/kata/bin/small").is_ok(), "{form}");
        assert_eq!((node.facts.cpus, node.facts.memory_mib, node.facts.nested), (2, 16000, true), "{form}");
        assert_eq!(node.facts.origins.get("cpus"), Some(&FactOrigin::Collected));
    }
    let node = one(&at("a.tar"));
    assert_eq!(node.name, "a");
    assert_eq!(node.files.read("/opt/kata/bin/small"), Err(Errno::NotKept), "its digest is enough");
    assert_eq!(node.files.sha512("/opt/kata/bin/qemu"), Err(Errno::NotKept), "too large for one");
}

#[test]
fn a_must_gather_has_as_many_nodes_as_folders() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("must-gather.tar.gz");
    let object = "status:\n  capacity:\n    cpu: \"32\"\n    memory: 131072000Ki\n  nodeInfo:\n    architecture: arm64\n";
    tar_of(
        &[
            ("must-gather.local/quay/nodes/w1/version", b"kata-containers-3.31.0-5.el9.x86_64\n"),
            ("must-gather.local/quay/nodes/w2/dmesg", b"x"),
            ("must-gather.local/quay/cluster-scoped-resources/core/nodes/w1.yaml", object.as_bytes()),
        ],
        gzip(&path),
    );
    let nodes = open(&path, &HostFacts::default()).unwrap();
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["w1", "w2"]);
    assert_eq!(nodes[0].kata_version.as_deref(), Some("3.31.0"));
    assert_eq!((nodes[0].facts.cpus, nodes[0].facts.memory_mib), (32, 128_000));
    assert!(nodes[0].lacks().iter().any(|what| what == "/etc/crio"), "{:?}", nodes[0].lacks());
}

#[test]
fn a_sosreport_is_named_after_its_host() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sosreport.tar.gz");
    tar_of(
        &[
            ("sosreport-w-1-2026-11-28-abc/sos_commands/crio/crio_config", b"[crio]\n"),
            ("sosreport-w-1-2026-11-28-abc/etc/crio/crio.conf.d/99-kata-deploy", b"[crio.runtime]\n"),
        ],
        gzip(&path),
    );
    let node = one(&path);
    assert_eq!((node.name.as_str(), node.origin), ("w-1", Origin::SosReport));
    assert_eq!(read(&node, "/etc/crio/crio.conf.d/99-kata-deploy"), "[crio.runtime]\n");
}

fn raw(name: &[u8], kind: u8, size: u64, target: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name);
    bytes[157..157 + target.len()].copy_from_slice(target);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn written(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn archives_made_to_do_harm_are_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("up.tar", raw(b"etc/../../x", b'0', 0, b""), "leads out of the archive"),
        ("hard.tar", raw(b"etc/x", b'1', 0, b"../../etc/shadow"), "leads out of the archive"),
        (
            "shadow.tar",
            raw(b"etc/x", b'1', 0, b"/etc/shadow"),
            "a hard link to /etc/shadow, which did not come",
        ),
        ("name.tar", raw(b"././@LongLink", b'L', 1 << 40, b""), "no name is as long"),
        ("pax.tar", raw(b"pax", b'x', 1 << 30, b""), "no name is as long"),
        ("cut.tar", raw(b"etc/x", b'0', 4000, b""), "ends in the middle of this file"),
        ("cut.zip", b"PK\x03\x04rest".to_vec(), "not whole"),
        ("what.bin", vec![1, 2, 255, 254], "no archive that is known here"),
    ];
    for (name, bytes, why) in cases {
        let path = written(dir, name, &bytes);
        let said = refused(&path);
        assert!(said.starts_with(&format!("{}: ", path.display())) && said.contains(why), "{name}: {said}");
    }
    let mut zip = zip::ZipWriter::new(File::create(dir.join("up.zip")).unwrap());
    zip.start_file("../up", zip::write::SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    assert!(refused(&dir.join("up.zip")).contains("leads out of the archive"));
    assert!(refused(&written(dir, "text.md", b"# hello\n")).contains("not what kata-collect-data.sh prints"));
    assert!(refused(&written(dir, "none.tar", &raw(b"readme", b'0', 0, b""))).contains("holds no node"));
    assert!(refused(Path::new("/dev/null")).contains("neither a file nor a folder"));
    assert!(refused(&dir.join("nothing")).contains("No such file"));
}

/// A zip file whose entries hold more than they say, and one whose list is longer than any.
#[test]
fn zip_files_that_lie_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("etc/x.toml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&vec![b'a'; 3 << 20]).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let (said, short) = ((3_u32 << 20).to_le_bytes(), 100_u32.to_le_bytes());
    let mut lies = bytes.clone();
    for at in 0..lies.len() - 4 {
        if lies[at..at + 4] == said {
            lies[at..at + 4].copy_from_slice(&short);
        }
    }
    let why = refused(&written(dir.path(), "lies.zip", &lies));
    assert!(why.contains("etc/x.toml"), "{why}");
    let mut long = bytes;
    let end = long.len() - 22;
    long[end + 12..end + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    let why = refused(&written(dir.path(), "long.zip", &long));
    assert!(why.contains("more than 500000 files"), "{why}");
}

/// Links, absolute or up and away, lead nowhere but within the node; devices are no more than their names.
#[test]
fn links_and_devices_stay_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = raw(b"etc/os-release", b'0', 0, b"");
    bytes.extend(raw(b"etc/away", b'2', 0, b"../../../../etc/hostname"));
    bytes.extend(raw(b"etc/abs", b'2', 0, b"/etc/os-release"));
    bytes.extend(raw(b"dev/sda", b'4', 0, b""));
    bytes.extend(raw(b"etc/\x1b[2J\tname", b'0', 0, b""));
    let node = one(&written(dir.path(), "x.tar", &bytes));
    let host =
        Host::new(HostFacts::default(), Arc::clone(&node.files)).looked_at(Look::Collected, Vec::new());
    assert_eq!(host.canonicalize("/etc/abs").as_deref(), Ok("/etc/os-release"));
    assert_eq!(host.read("/etc/away"), Err(Errno::NotFound));
    assert_eq!(host.read("/dev/sda"), Err(Errno::NotRegular));
    assert_eq!(node.files.read_dir("/etc").unwrap().len(), 4);
}

#[test]
fn more_entries_than_are_read_end_the_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("many.tar.gz");
    let entry = raw(b"etc/x", b'0', 0, b"");
    let block = entry.repeat(10_000);
    let mut out = gzip(&path);
    for _ in 0..60 {
        out.write_all(&block).unwrap();
    }
    out.finish().unwrap();
    assert!(refused(&path).contains("more than 500000 files"), "{}", refused(&path));
}

/// Everything that was asked of a host is answered alike by what was taken home of it.
#[test]
fn what_is_recorded_answers_as_the_host_did() {
    let files = MemoryFiles::new()
        .file("/etc/kata/c.toml", 0o600, CONFIG)
        .file("/opt/kata/bin/qemu", 0o755, vec![1; 100])
        .file("/opt/kata/bin/other", 0o755, vec![2; 100])
        .file("/opt/kata/share/image", 0o644, vec![3; 3 << 20])
        .link("/usr/bin", "/opt/kata/bin")
        .file("/etc/odd\tname\\", 0o644, "odd");
    let ask = |host: &Host| {
        let stat = |path: &str| host.stat(path).map(|stat| (stat.kind, stat.size, stat.mode));
        format!(
            "{:?}",
            (
                host.read("/etc/kata/c.toml"),
                stat("/usr/bin/qemu"),
                stat("/usr/bin/none"),
                host.canonicalize("/none/at/all"),
                host.read_dir("/opt/kata/bin"),
                (stat("/opt/kata/share/image"), stat("/etc/odd\tname\\")),
                host.sha512_or("/opt/kata/bin/other", ""),
            )
        )
    };
    let files: Arc<dyn Files> = Arc::new(files);
    let mut facts = HostFacts { cpus: 3, nested: true, ..HostFacts::default() };
    facts.origins.insert("cpus", FactOrigin::Probed);
    facts.origins.insert("memory_mib", FactOrigin::Assumed);
    let recorder = Arc::new(Recorder::new(Arc::clone(&files)));
    let before = ask(&Host::new(facts.clone(), Arc::clone(&recorder) as Arc<dyn Files>));
    let recorded = recorder.finish("n1", &facts, vec![("config".into(), "/etc/kata/c.toml".into())]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n1.tar.gz");
    recorded.write(File::create(&path).unwrap()).unwrap();
    let node = one(&path);
    assert_eq!((node.name.as_str(), node.origin), ("n1", Origin::Collect));
    assert_eq!(node.said.get("config").map(String::as_str), Some("/etc/kata/c.toml"));
    let host = Host::new(node.facts.clone(), Arc::clone(&node.files)).looked_at(Look::Collected, Vec::new());
    let noting = host.noting(host.granted());
    assert_eq!(ask(&noting), before);
    assert!(noting.noted().is_empty(), "{:?}", noting.noted());
    assert_eq!((node.facts.cpus, node.facts.nested), (3, true));
    assert!(noting.exists("/never/asked") && noting.noted().len() == 1);
    assert_eq!(noting.stat("/opt/kata/bin/new"), Err(Errno::NotFound), "the folder was listed");
}
