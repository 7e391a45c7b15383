//! Any text as a configuration file, and a sequence of edits of one of its lists: undoing all that succeed gives the
//! original bytes. Where somebody else makes the later edits, going back to what is saved gives their bytes. The same
//! edits of a file that loads are what each runtime reads.

use std::sync::LazyLock;

use katascope::answer::verdict::ListId;
use katascope::edit::{History, PolicyEdit};
use katascope::evaluate::{Evaluator, Setup};
use katascope::input::config::Layers;
use katascope::input::manifest::{self, Pod};
use katascope::input::source::Source;
use katascope::release::Release;
use katascope::runtime::Depth;
use katascope::sample;

const PATH: &str = "/etc/kata-containers/configuration.toml";

/// What every runtime loads.
const LOADED: &str = "\
[hypervisor.qemu]
path = '/opt/kata/bin/qemu-system-x86_64'
kernel = '/opt/kata/share/kata-containers/vmlinux.container'
image = '/opt/kata/share/kata-containers/kata-containers.img'
rootfs_type = 'ext4'
entropy_source = '/dev/urandom'
machine_type = 'q35'
virtio_fs_daemon = '/usr/bin/qemu-system-x86_64'
default_maxvcpus = 8
block_device_driver = 'virtio-scsi'
valid_hypervisor_paths = [
    \"/a\", # first
    '/b',
]
[agent.kata]
[runtime]
name = 'virt_container'
agent_name = 'kata'
hypervisor_name = 'qemu'
internetworking_model = 'tcfilter'
";

static POD: LazyLock<Option<Pod>> = LazyLock::new(|| {
    let text = r#"{"ociVersion": "1.1.0", "annotations": {"io.kubernetes.cri.container-type": "sandbox"}}"#;
    manifest::read(&Source::new("pod.json", text)).ok()?.pods.into_iter().next()
});

/// What the fuzzer makes up.
pub type Input<'a> = (&'a str, Vec<(u8, u8, &'a str)>);

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (text, steps) = input;
    let others = steps.iter().take(8).position(|(what, ..)| *what >= 250);
    let (mine, theirs) = steps.split_at(others.unwrap_or(steps.len().min(8)));
    let mut history = History::of(&Layers::of_text(PATH, text));
    let list = ListId::new("hypervisor.qemu", "enable_annotations");
    let done = edited(&mut history, &list, mine);
    if done > 0 {
        read_back(mine);
    }
    if !theirs.is_empty() {
        let mut other = History::of(&Layers::of_text(PATH, text));
        edited(&mut other, &list, &theirs[..theirs.len().min(8)]);
        let Some(Ok(other)) = other.document(PATH) else { return };
        let other = &*other.source().text;
        if history.reread(&Layers::of_text(PATH, other)).is_ok() {
            history.back_to_saved();
            let texts: Vec<&str> = history.files().map(|(_, text)| text).collect();
            assert_eq!(texts, [other], "what is saved is what the other wrote");
        }
        return;
    }
    for _ in 0..done {
        history.undo();
    }
    if let Some(Ok(document)) = history.document(PATH) {
        assert_eq!(&*document.source().text, text, "undo returns the original bytes");
    }
}

/// Whoever loads the file has the entries that were written.
fn read_back(steps: &[(u8, u8, &str)]) {
    let list = ListId::new("hypervisor.qemu", "valid_hypervisor_paths");
    let mut history = History::of(&Layers::of_text(PATH, LOADED));
    edited(&mut history, &list, steps);
    let written = history.effective(&list).map(|(_, list)| serde_json::json!(list.texts()));
    let (Some(Ok(document)), Some(pod)) = (history.document(PATH), POD.as_ref()) else { return };
    for release in Release::STOPS {
        let layers = Layers::of_text(PATH, &document.source().text);
        let evaluator = Evaluator::new(Setup { layers, release, ..sample::evaluator().setup().clone() });
        let effective = evaluator.evaluate(pod, Depth::Full).effective;
        let read = effective.as_ref().and_then(|e| e.get("hypervisor.qemu.valid_hypervisor_paths"));
        assert_eq!(read.map(|read| &read.value), written.as_ref(), "{release:?}: {}", document.source().text);
    }
}

/// How many of the edits were made.
fn edited(history: &mut History, list: &ListId, steps: &[(u8, u8, &str)]) -> usize {
    let mut done = 0;
    for &(what, at, pattern) in steps {
        let (list, at) = (list.clone(), usize::from(at));
        let edit = match what % 5 {
            0 => PolicyEdit::Add { list, at, text: pattern.to_owned() },
            1 => PolicyEdit::Remove { list, at },
            2 => PolicyEdit::Replace { list, at, text: pattern.to_owned() },
            3 => PolicyEdit::Move { list, from: at, to: usize::from(what / 5) },
            _ => PolicyEdit::Duplicate { list, at },
        };
        done += usize::from(history.apply(PATH, &edit).is_ok());
    }
    done
}
