//! What the agent is told of name resolution: the lines of the file that containerd mounts as `/etc/resolv.conf`.
//!
//! Decides them for a CRI document, which is all that containerd gets: what it asks for, or the host's own file where
//! it asks for nothing. Of a Kubernetes object kubelet decides first, by files that are not at hand. Facts:
//! `parseDNSOptions` in internal/cri/server/podsandbox/sandbox_run_linux.go of containerd 2.2, and `getDNS` in
//! src/runtime/virtcontainers/kata_agent.go of Kata 4.1.0.

use serde_json::Value as Json;

use crate::answer::agent::AgentSetup;
use crate::input::Host;
use crate::input::manifest::{Form, Pod};

/// Files longer than this are no resolver's, in bytes.
const LIMIT: usize = 64 << 10;

/// Puts the lines into the agent's request, where they are known.
pub(super) fn tell(agent: &mut AgentSetup, pod: &Pod, host: &Host) {
    if pod.form != Form::Cri {
        return;
    }
    let text = if pod.resolver.is_empty() { of_host(host) } else { Some(pod.resolver.clone()) };
    let (Some(text), Json::Object(request)) = (text, &mut agent.create_sandbox) else { return };
    request.insert("dns".to_owned(), text.split('\n').map(Json::from).collect());
}

fn of_host(host: &Host) -> Option<String> {
    let bytes = host.read("/etc/resolv.conf").ok().filter(|bytes| bytes.len() <= LIMIT)?;
    String::from_utf8(bytes).ok()
}
