//! Any text as each of the small files that say what the node is like, and as what `explain` is asked.
//! The first byte chooses which.

use std::sync::Arc;

use katascope::cri::Engine;
use katascope::cri::crio::Crio;
use katascope::explain::explain;
use katascope::input::host::{Host, HostFacts, MemoryFiles};
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
            let files = MemoryFiles::new().file("/etc/crio/crio.conf", 0o644, text).file(
                "/etc/crio/crio.conf.d/a.conf",
                0o644,
                "[crio.runtime]\n",
            );
            let host = Host::new(HostFacts::default(), Arc::new(files));
            let crio = Crio::read(&host, "/etc/crio/crio.conf", Some("kata".into()));
            let engine = Engine::Crio(Box::new(crio));
            let served = katascope::node::Node::new(host, engine, &Said::default());
            let node = Node::new(Version::default(), Kubelet::default(), 64);
            for pod in kubernetes::read(&sample::pods(), &node).into_iter().flat_map(|d| d.pods) {
                let _ = served.route(&pod, "id");
                let _ = served.engine.pass(&pod, pod.sizing.as_ref(), "id");
            }
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
