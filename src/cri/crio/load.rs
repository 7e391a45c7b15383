//! CRI-O's files: which are read, in which order, and what stops the daemon.
//!
//! Decides what the files set together. `crio.conf` may be absent; every file below `crio.conf.d` counts,
//! whatever its name, in the order of the names. Facts: `mergeConfigFiles` in internal/criocli/criocli.go (in
//! 1.30 `mergeConfig`), `UpdateFromFile` and `UpdateFromPath` in pkg/config/config.go of cri-o, and
//! `filepath.Walk` of Go.

use super::decode::{Settings, decode};
use super::release::{Change, Release};
use super::{Broken, Places};
use crate::golang::toml::parse;
use crate::input::Place;
use crate::input::host::{Errno, FileKind, Host};
use crate::input::source::Source;

/// Which way a file came in, for messages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Main,
    DropIn,
}

impl Way {
    /// What the daemon says before the cause.
    fn steps(self, release: Release) -> &'static str {
        match self {
            _ if !release.has(Change::NamedLoadSteps) => "",
            Self::Main => {
                "get and merge config from context: update config from file: update config from drop-in file: "
            }
            Self::DropIn => "get and merge config from context: update config from path: walk path: ",
        }
    }
}

/// Reads everything; `files` are those that were read.
pub fn load(
    host: &Host,
    places: &Places,
    release: Release,
    files: &mut Vec<String>,
) -> Result<Settings, Broken> {
    let mut settings = Settings::default();
    match take(host, &places.main, Way::Main, release, &mut settings) {
        Ok(()) => files.push(places.main.clone()),
        Err(Stop::NotThere) => {}
        Err(Stop::Broken(broken)) => return Err(broken),
    }
    if host.stat(&places.folder) == Err(Errno::NotFound) {
        return Ok(settings);
    }
    let mut found = Vec::new();
    walk(host, &places.folder, release, &mut found)?;
    for path in found {
        match take(host, &path, Way::DropIn, release, &mut settings) {
            Ok(()) => files.push(path),
            Err(Stop::NotThere) => return Err(unread(&path, Errno::NotFound, Way::DropIn, release)),
            Err(Stop::Broken(broken)) => return Err(broken),
        }
    }
    Ok(settings)
}

enum Stop {
    NotThere,
    Broken(Broken),
}

fn unread(path: &str, errno: Errno, way: Way, release: Release) -> Broken {
    let verb = if errno == Errno::IsDirectory { "read" } else { "open" };
    let place = Place { file: path.into(), line: 0, column: 0 };
    Broken { message: format!("{}{verb} {path}: {}", way.steps(release), errno.go()), place: Some(place) }
}

fn take(host: &Host, path: &str, way: Way, release: Release, settings: &mut Settings) -> Result<(), Stop> {
    let bytes = host.read(path).map_err(|errno| match errno {
        Errno::NotFound => Stop::NotThere,
        errno => Stop::Broken(unread(path, errno, way, release)),
    })?;
    let source = Source::new(path, String::from_utf8_lossy(&bytes).into_owned());
    let broken = |message: &str, place| {
        let message = format!("{}unable to decode configuration {path}: {message}", way.steps(release));
        Stop::Broken(Broken { message, place })
    };
    let document = parse(&bytes, release.toml())
        .map_err(|error| broken(&error.message, error.spot.map(|spot| source.place(spot.offset))))?;
    decode(&document, &source, release, settings).map_err(|misfit| broken(&misfit.message, misfit.place))
}

/// `filepath.Walk`: folders in the order of their names, links not followed.
fn walk(host: &Host, path: &str, release: Release, found: &mut Vec<String>) -> Result<(), Broken> {
    let kind = host.lstat(path).map(|stat| stat.kind);
    if kind != Ok(FileKind::Directory) {
        // What a link leads to is found out when it is read.
        found.push(path.to_owned());
        return Ok(());
    }
    let names = host.read_dir(path).map_err(|errno| unread(path, errno, Way::DropIn, release))?;
    let mut names: Vec<&String> = names.iter().collect();
    names.sort();
    names.iter().try_for_each(|name| walk(host, &format!("{path}/{name}"), release, found))
}
