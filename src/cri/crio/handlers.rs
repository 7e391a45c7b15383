//! The handlers: which of them CRI-O keeps.
//!
//! Decides the built-in handler, the default one, what a handler takes over from the default one, and the
//! checks in each release's order; the first that fails counts. An invalid handler is dropped with a line in
//! the log, and only where it is the default one the daemon does not start. Facts: `ValidateDefaultRuntime`,
//! `ValidateRuntimes`, `RuntimeHandler.Validate` and `TranslateMonitorFields` in pkg/config/config.go of cri-o.
//!
//! Limitations: a program called `crun`, `runc` or `conmon` that is looked for in $PATH is taken to be there;
//! a monitor of type `pod` that is there is taken to tell its version.

use indexmap::IndexMap;

use super::decode::Settings;
use super::handler::{Handler, Seen, look_path};
use super::keys;
use super::release::{Change, Release};
use crate::cri::EngineMessage;
use crate::golang::strconv::quote;

/// A handler that CRI-O does not have, although a file names it.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// Its name.
    pub name: String,
    /// The reason that CRI-O logs.
    pub reason: String,
    /// What the files make of it.
    pub handler: Handler,
}

impl Dropped {
    /// The line in the log.
    pub fn log_line(&self) -> String {
        format!("Runtime handler {} is being ignored due to: {}", quote(&self.name), self.reason)
    }
}

/// The handlers that there are.
#[derive(Debug, Clone, Default)]
pub struct Handlers {
    /// By name, in the order of the files; the built-in one first.
    pub by_name: IndexMap<String, Handler>,
    /// The one of pods that ask for none.
    pub default: String,
    /// Those that are not.
    pub dropped: Vec<Dropped>,
}

impl Handlers {
    /// Before the files are checked: the built-in handler under those that they name.
    pub fn named(settings: &mut Settings, release: Release) -> Result<Self, EngineMessage> {
        let built_in = if release.has(Change::CrunBuiltIn) { "crun" } else { "runc" };
        let mut by_name = IndexMap::new();
        by_name.insert(built_in.to_owned(), Handler::built_in(release));
        // Of a name that is there its entry is replaced.
        by_name.extend(std::mem::take(&mut settings.handlers));
        let asked = settings.text(&keys::RUNTIME, "default_runtime");
        let default = asked.filter(|name| !name.is_empty()).unwrap_or(built_in).to_owned();
        if !by_name.contains_key(&default) {
            return Err(EngineMessage::from(format!(
                "default_runtime set to {}, but no runtime entry table [crio.runtime.runtimes.{default}] was found",
                quote(&default)
            )));
        }
        Ok(Self { by_name, default, dropped: Vec::new() })
    }

    /// Checks every handler; an invalid one is dropped, an invalid default one is the error.
    pub fn check(&mut self, seen: &Seen, release: Release) -> Result<(), EngineMessage> {
        if let Some(default) = self.by_name.get(&self.default).cloned() {
            let found = match default.runtime_path.as_str() {
                "" => look_path(seen, &self.default).unwrap_or_default(),
                path => path.to_owned(),
            };
            for handler in self.by_name.values_mut().filter(|handler| handler.inherits) {
                handler.runtime_path.clone_from(&found);
                handler.is_found = default.runtime_path.is_empty() && !found.is_empty();
                handler.runtime_type.clone_from(&default.runtime_type);
                handler.runtime_config_path.clone_from(&default.runtime_config_path);
                handler.runtime_root.clone_from(&default.runtime_root);
            }
        }
        let mut fatal = None;
        let (default, dropped) = (&self.default, &mut self.dropped);
        self.by_name.retain(|name, handler| {
            let Err(reason) = handler.check(name, seen, release) else { return true };
            if name == default {
                fatal.get_or_insert(reason);
                return true;
            }
            dropped.push(Dropped { name: name.clone(), reason, handler: handler.clone() });
            false
        });
        fatal.map_or(Ok(()), |reason: String| Err(reason.into()))
    }

    /// The monitor of each handler that has one.
    pub fn check_monitors(
        &self,
        settings: &Settings,
        seen: &Seen,
        release: Release,
    ) -> Result<(), EngineMessage> {
        let mut names: Vec<(&String, &Handler)> = self.by_name.iter().filter(|(_, h)| h.is_oci()).collect();
        names.sort_by_key(|(name, _)| *name);
        for (name, handler) in names {
            handler.check_monitor(settings, seen, release).map_err(|why| {
                EngineMessage::from(format!("failed to translate monitor fields for runtime {name}: {why}"))
            })?;
        }
        Ok(())
    }

    /// As Go prints the map, whose addresses nobody can know.
    pub fn listed(&self) -> String {
        let mut names: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
        names.sort_unstable();
        let items: Vec<String> = names.iter().map(|name| format!("{name}:{{ptr}}")).collect();
        format!("map[{}]", items.join(" "))
    }
}

impl Handler {
    fn check_monitor(&self, settings: &Settings, seen: &Seen, release: Release) -> Result<(), String> {
        let set = |key| settings.text(&keys::RUNTIME, key).filter(|text| !text.is_empty());
        let cgroup = set("conmon_cgroup").unwrap_or(&self.monitor_cgroup);
        let path = set("conmon").unwrap_or(&self.monitor_path);
        if path.is_empty() {
            look_path(seen, "conmon")?;
        } else if let Err(errno) = seen.stat(path) {
            return Err(format!("invalid conmon path: stat {path}: {}", errno.go()));
        }
        let optional = release.has(Change::MonitorCgroupOptional);
        if set("cgroup_manager").unwrap_or("systemd") == "systemd" {
            if !cgroup.is_empty() && cgroup != "pod" && !cgroup.ends_with(".slice") {
                return Err("conmon cgroup should be 'pod' or a systemd slice".to_owned());
            }
        } else if optional && !matches!(cgroup, "pod" | "" | "system.slice") {
            return Err(format!(
                "cgroupfs manager conmon cgroup should be 'pod' or empty, but got: '{cgroup}'"
            ));
        } else if !optional && cgroup != "pod" {
            // What is left out has become `system.slice` by now.
            return Err("cgroupfs manager conmon cgroup should be 'pod' or empty".to_owned());
        }
        Ok(())
    }
}
