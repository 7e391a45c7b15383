//! What the guest is told, with what decided it: the words that the agents of all runtimes answer in.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::effective::Effective;
use super::launch::{Arg, Cause};

/// What the guest is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AgentSetup {
    /// The guest kernel command line, parameter by parameter, with the cause of each.
    pub kernel_params: Vec<Arg>,
    /// The command line, as the guest kernel gets it.
    pub kernel_cmdline: String,
    /// The fields of the CreateSandbox request, under the runtime's own names.
    pub create_sandbox: Json,
    /// The agent policy that is set before, if any.
    pub policy: Option<String>,
    /// What it is told of the network.
    pub network: NetworkRequests,
    /// Whose keys decided all this.
    pub decided_by: DecidedBy,
}

/// What the agent is told of the network, one request for each element.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkRequests {
    /// The interfaces (`UpdateInterface`).
    pub update_interfaces: Vec<Json>,
    /// The routes (`UpdateRoutes`).
    pub update_routes: Vec<Json>,
    /// The neighbours that somebody has set (`AddARPNeighbors`).
    pub add_arp_neighbors: Vec<Json>,
}

impl NetworkRequests {
    /// The names of the requests.
    pub const NAMES: [&'static str; 3] = ["UpdateInterface", "UpdateRoutes", "AddARPNeighbors"];

    /// What one of the requests is made with, if it is made.
    pub fn named(&self, name: &str) -> Option<&[Json]> {
        let told = match name {
            "UpdateInterface" => &self.update_interfaces,
            "UpdateRoutes" => &self.update_routes,
            _ => &self.add_arp_neighbors,
        };
        (!told.is_empty()).then_some(told.as_slice())
    }

    /// The requests that are made, by name.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &[Json])> {
        Self::NAMES.into_iter().filter_map(|name| Some((name, self.named(name)?)))
    }
}

/// Whose keys decided what the guest is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecidedBy {
    /// The name of the hypervisor's table.
    pub hypervisor: Cow<'static, str>,
    /// The name of the agent's table.
    pub agent: Cow<'static, str>,
    /// The hypervisor's keys that decide how the shared folder is mounted.
    pub mount_options: &'static [&'static str],
}

impl AgentSetup {
    /// What decided each part of CreateSandbox, by JSON pointer; absent parts are constant. Keys are
    /// spelled as in `effective`, which does not have those that this hypervisor's table is not read for.
    pub fn create_sandbox_causes(&self, effective: &Effective) -> Vec<(String, Cause)> {
        let hypervisor = |name: &str| self.key(effective, "hypervisor", &self.decided_by.hypervisor, name);
        let agent = |name: &str| self.key(effective, "agent", &self.decided_by.agent, name);
        let mut causes = vec![
            ("/hostname".to_owned(), Cause::rule("the pod's host name")),
            ("/sandbox_id".to_owned(), Cause::rule("the sandbox id")),
            ("/guest_hook_path".to_owned(), Cause::keys(hypervisor("guest_hook_path"))),
            ("/kernel_modules".to_owned(), Cause::keys(agent("kernel_modules"))),
        ];
        let storages = self.create_sandbox.get("storages").and_then(Json::as_array);
        for (at, storage) in storages.into_iter().flatten().enumerate() {
            let cause = match storage.get("source").and_then(Json::as_str) {
                Some("kataShared") => {
                    let keys = self.decided_by.mount_options.iter().filter_map(|name| hypervisor(name));
                    let options = Cause::keys(keys);
                    if !options.keys.is_empty() {
                        causes.push((format!("/storages/{at}/options"), options));
                    }
                    Cause::keys(hypervisor("shared_fs"))
                }
                Some("shm") => Cause::rule("the pod's shared memory"),
                _ => continue,
            };
            causes.push((format!("/storages/{at}"), cause));
        }
        causes
    }

    /// What decided the agent policy.
    pub fn policy_cause(&self, effective: &Effective) -> Cause {
        Cause::keys(self.key(effective, "agent", &self.decided_by.agent, "policy"))
    }

    fn key(&self, effective: &Effective, kind: &str, table: &str, name: &str) -> Option<String> {
        let key = format!("{kind}.{table}.{name}");
        effective.get(&key).is_some().then_some(key)
    }
}

/// A request's fields, in order.
pub(crate) fn fields<const N: usize>(all: [(&str, Json); N]) -> Json {
    let mut map = Map::with_capacity(N);
    map.extend(all.map(|(name, value)| (name.to_owned(), value)));
    Json::Object(map)
}
