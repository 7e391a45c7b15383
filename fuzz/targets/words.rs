//! Any text as each of the small files that say what the node is like, and as what `explain` is asked.
//! The first byte chooses which.

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::crio::Crio;
use katascope::explain::explain;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
use katascope::input::manifest::Pod;
use katascope::input::probe;
use katascope::input::source::Source;
use katascope::kubernetes::{self, Kubelet, Node, Version};
use katascope::node::Said;
use katascope::report::escape::is_hostile;
use katascope::report::explanation;
use katascope::report::text::Paint;
use katascope::sample;
use katascope::tui::settings::Settings;

/// What the fuzzer makes up.
pub type Input<'a> = (u8, &'a str);

const WHOLE: &str = "/etc/crio/crio.conf";
const DROP_IN: &str = "/etc/crio/crio.conf.d/a.conf";

/// The steps that a message names, of the file and of a drop-in.
const STEPS: (&str, &str) =
    ("update config from file: update config from drop-in file: ", "update config from path: walk path: ");

/// What CRI-O makes of the sample's pods under a configuration.
fn crio(whole: &str, drop_in: &str) -> Vec<String> {
    let files = MemoryFiles::new().file(WHOLE, 0o644, whole).file(DROP_IN, 0o644, drop_in);
    let host = Host::new(HostFacts::default(), Arc::new(files));
    let engine = Engine::Crio(Box::new(Crio::read(&host, WHOLE, Some("kata".into()))));
    let served = katascope::node::Node::new(host, engine, &Said::default());
    let node = Node::new(Version::default(), Kubelet::default(), 64);
    let pods = kubernetes::read(&sample::pods(), &node).into_iter().flat_map(|d| d.pods);
    let said = |pod: Pod| {
        let passed = served.engine.pass(&pod, pod.sizing.as_ref(), "id");
        format!("{:?} {:?} {:?}", served.route(&pod, "id"), passed.failure, passed.received)
    };
    pods.map(said).collect()
}

/// Panics where something does not hold.
pub fn run(input: Input<'_>) {
    let (choice, text) = input;
    match choice % 5 {
        0 => {
            let version = Version::default();
            let Ok(kubelet) = Kubelet::read(&Source::new("kubelet.yaml", text), &version) else { return };
            let _ = kubernetes::read(&sample::pods(), &Node::new(version, kubelet, 64));
        }
        1 => {
            let mut facts = HostFacts::default();
            let _ = probe::apply_host_file(&mut facts, &Source::new("host.toml", text));
        }
        2 => {
            let _ = Settings::read(&Source::new("settings.toml", text));
        }
        3 => {
            let whole = crio(text, "[crio.runtime]\n");
            let dropped_in = crio("", text);
            let whole = whole.iter().map(|said| said.replace(WHOLE, DROP_IN).replace(STEPS.0, STEPS.1));
            let whole: Vec<_> = whole.collect();
            assert_eq!(whole, dropped_in, "a drop-in alone says what the file would");
        }
        _ => {
            let meaning = explain(text);
            let mut out = Vec::new();
            let _ = explanation::text(&mut out, &meaning, &|_, _| None, Paint { color: false });
            let out = String::from_utf8_lossy(&out);
            let hostile = out.chars().find(|c| *c != '\n' && is_hostile(*c));
            assert_eq!(hostile, None, "shown raw: {out:?}");
            let _ = explanation::json(&meaning).to_string();
        }
    }
}
