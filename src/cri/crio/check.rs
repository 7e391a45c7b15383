//! The checks of the whole configuration before the daemon listens, in its order.
//!
//! Decides whether CRI-O starts, as far as its files say. Facts: `Config.Validate` and the functions that it
//! calls in pkg/config/config.go of cri-o, and cmd/crio/main.go.
//!
//! Limitations: time zones, devices, images, CNI, NRI and metrics are not checked, nor programs that come with
//! CRI-O.

use super::Broken;
use super::annotations::Known;
use super::decode::Settings;
use super::handler::Seen;
use super::handlers::Handlers;
use super::keys::{API, CRIO, IMAGE, RUNTIME, Shape};
use super::release::Release;
use super::workloads::cpuset;
use crate::golang::regexp::GoRegex;
use crate::golang::strconv::quote;
use crate::input::Place;

/// Checks everything, and gives the handlers that are left.
pub fn check(settings: &mut Settings, seen: &Seen, release: Release) -> Result<Handlers, Broken> {
    let stop = |message: String, table: &Shape, key: &'static str, settings: &Settings| Broken {
        message,
        place: settings.place(table, key),
    };
    if let Some(level) = settings.text(&RUNTIME, "log_level").filter(|level| !is_log_level(level)) {
        let message = format!("not a valid logrus Level: {}", quote(level));
        return Err(stop(message, &RUNTIME, "log_level", settings));
    }
    if let Some(filter) = settings.text(&RUNTIME, "log_filter").filter(|filter| !filter.is_empty())
        && let Err(error) = GoRegex::new(filter)
    {
        let message = format!("custom log level filter does not compile: {error}");
        return Err(stop(message, &RUNTIME, "log_filter", settings));
    }
    if let Some(volumes) = settings.text(&IMAGE, "image_volumes")
        && !matches!(volumes, "mkdir" | "ignore" | "bind")
    {
        let message = "unrecognized image volume type specified".to_owned();
        return Err(stop(message, &IMAGE, "image_volumes", settings));
    }
    if settings.text(&CRIO, "log_dir").is_some_and(|dir| !dir.starts_with('/')) {
        let message = "validating root config: log_dir is not an absolute path".to_owned();
        return Err(stop(message, &CRIO, "log_dir", settings));
    }
    let handlers = runtime(settings, seen, release)
        .map_err(|(why, place)| Broken { message: format!("validating runtime config: {why}"), place })?;
    for (key, what) in
        [("signature_policy_dir", "signature policy"), ("namespaced_auth_dir", "namespaced auth")]
    {
        if let Some(dir) = settings.text(&IMAGE, key).filter(|dir| !dir.starts_with('/')) {
            let message = format!("validating image config: {what} dir {} is not absolute", quote(dir));
            return Err(stop(message, &IMAGE, key, settings));
        }
    }
    if let Some(mode) = settings.text(&IMAGE, "short_name_mode")
        && !matches!(mode, "enforcing" | "disabled" | "")
    {
        let message = format!("validating image config: invalid short name mode {}", quote(mode));
        return Err(stop(message, &IMAGE, "short_name_mode", settings));
    }
    if settings.flag(&API, "stream_enable_tls") == Some(true) {
        for (key, what) in [("stream_tls_cert", "cert"), ("stream_tls_key", "key")] {
            if settings.text(&API, key).is_none_or(str::is_empty) {
                let message = format!("validating api config: stream TLS {what} path is empty");
                return Err(stop(message, &API, "stream_enable_tls", settings));
            }
        }
    }
    Ok(handlers)
}

fn is_log_level(level: &str) -> bool {
    let known = ["panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"];
    known.iter().any(|word| word.eq_ignore_ascii_case(level))
}

/// Why not, and where.
type Refused = (String, Option<Place>);

fn runtime(settings: &mut Settings, seen: &Seen, release: Release) -> Result<Handlers, Refused> {
    let at = |settings: &Settings, key: &'static str, why: String| (why, settings.place(&RUNTIME, key));
    if let Some(number) = settings.number(&RUNTIME, "min_injected_gomaxprocs").filter(|number| *number < 0) {
        let why = format!("min_injected_gomaxprocs must be >= 0, got {number}");
        return Err(at(settings, "min_injected_gomaxprocs", why));
    }
    let stores = settings.texts(&RUNTIME, "additional_artifact_stores");
    if let Some(store) = stores.iter().find(|store| !store.starts_with('/')) {
        let why = format!("additional_artifact_stores entry must be absolute: {}", quote(store));
        return Err(at(settings, "additional_artifact_stores", why));
    }
    let mut handlers =
        Handlers::named(settings, release).map_err(|why| at(settings, "default_runtime", why.into()))?;
    if settings.number(&RUNTIME, "log_size_max").is_some_and(|size| (0..8192).contains(&size)) {
        let why = "log size max should be negative or >= 8192".to_owned();
        return Err(at(settings, "log_size_max", why));
    }
    sysctls(&settings.texts(&RUNTIME, "default_sysctls"))
        .map_err(|why| at(settings, "default_sysctls", format!("invalid default_sysctls: {why}")))?;
    cpuset(settings.text(&RUNTIME, "infra_ctr_cpuset").unwrap_or_default())
        .map_err(|why| at(settings, "infra_ctr_cpuset", format!("invalid infra_ctr_cpuset: {why}")))?;
    let known = Known::of(release);
    for (name, workload) in &settings.workloads {
        workload
            .check(name, &known)
            .map_err(|why| (format!("workloads validation: {why}"), workload.place.clone()))?;
    }
    if let Some(manager) = settings.text(&RUNTIME, "cgroup_manager")
        && !matches!(manager, "systemd" | "cgroupfs")
    {
        let why = format!("unable to update cgroup manager: invalid cgroup manager: {manager}");
        return Err(at(settings, "cgroup_manager", why));
    }
    handlers.check(seen, release).map_err(|why| {
        let place = handlers.by_name.get(&handlers.default).and_then(|handler| handler.place.clone());
        (format!("runtime validation: {why}"), place)
    })?;
    if let Some(path) = settings.text(&RUNTIME, "pinns_path").filter(|path| !path.is_empty())
        && let Err(errno) = seen.stat(path)
    {
        let why = format!("pinns validation: invalid pinns path: stat {path}: {}", errno.go());
        return Err(at(settings, "pinns_path", why));
    }
    handlers
        .check_monitors(settings, seen, release)
        .map_err(|why| (format!("monitor fields translation: {why}"), None))?;
    Ok(handlers)
}

fn sysctls(all: &[String]) -> Result<(), String> {
    for sysctl in all.iter().filter(|sysctl| !sysctl.is_empty()) {
        let Some((key, value)) = sysctl.split_once('=') else {
            return Err(format!("{} is not in key=value format", quote(sysctl)));
        };
        if key.trim() != key || value.trim() != value {
            return Err(format!("'{sysctl}' is invalid, extra spaces found: format should be key=value"));
        }
    }
    Ok(())
}
