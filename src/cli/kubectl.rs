//! The pods of a cluster, by the user's own `kubectl`: a child process whose words are shown and whose output is
//! read as any manifest is.
//!
//! Decides which words kubectl is given. Knows no server, no kubeconfig and no credentials: those are kubectl's.

use std::ffi::OsString;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::ClusterOptions;
use super::error::{SetupError, plain};
use crate::report::escape::{visible, visible_lines};

/// What stands among the manifests for the cluster.
pub(super) const CLUSTER: &str = "kubectl get pods";
/// Says another program than `kubectl`.
const VARIABLE: &str = "KUBECTL";
/// How much of kubectl's complaint is told.
const SAID: u64 = 1 << 16;

impl ClusterOptions {
    /// Whether the cluster is asked.
    pub fn asked(&self) -> bool {
        self.watch
            || self.namespace.is_some()
            || self.all_namespaces
            || self.context.is_some()
            || self.selector.is_some()
    }

    /// The words that say it again.
    pub(super) fn said(&self) -> Vec<String> {
        let mut words = Vec::new();
        let options =
            [("--namespace", &self.namespace), ("--context", &self.context), ("--selector", &self.selector)];
        for (option, value) in options {
            words.extend(value.iter().map(|value| format!("{option}={value}")));
        }
        words.extend(self.all_namespaces.then(|| "--all-namespaces".to_owned()));
        words
    }

    fn context(&self) -> Vec<String> {
        self.context.iter().map(|name| format!("--context={name}")).collect()
    }

    /// RuntimeClasses, which lead pods to handlers; they have no namespace, and not the pods' labels.
    pub(super) fn classes(&self) -> Vec<String> {
        let words = ["get", "runtimeclasses", "-o", "json"].map(str::to_owned);
        words.into_iter().chain(self.context()).collect()
    }

    /// The pods.
    pub(super) fn pods(&self) -> Vec<String> {
        let mut words: Vec<String> = ["get", "pods", "-o", "json"].map(str::to_owned).into();
        words.extend(self.context());
        match (&self.namespace, self.all_namespaces) {
            (Some(name), _) => words.push(format!("--namespace={name}")),
            (None, true) => words.push("--all-namespaces".to_owned()),
            (None, false) => {}
        }
        words.extend(self.selector.iter().map(|labels| format!("--selector={labels}")));
        words
    }

    /// The pods, and what becomes of them, event by event.
    pub(super) fn watched(&self) -> Vec<String> {
        let events = ["--watch", "--output-watch-events"].map(str::to_owned);
        self.pods().into_iter().chain(events).collect()
    }
}

/// Ends a kubectl that somebody else reads from.
pub(super) struct Stopper(Arc<Mutex<Child>>);

impl Stopper {
    /// Ends it.
    pub(super) fn stop(&self) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What kubectl prints, while it prints it.
pub(super) struct Printed {
    child: Arc<Mutex<Child>>,
    out: ChildStdout,
    words: String,
    /// Read beside its output, so that neither waits for the other.
    said: Option<std::thread::JoinHandle<String>>,
    over: bool,
    screens: bool,
}

fn program() -> OsString {
    std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).unwrap_or_else(|| "kubectl".into())
}

/// Runs kubectl, and says so.
pub(super) fn run(words: &[String], screens: bool) -> Result<Printed, SetupError> {
    let program = program();
    let name = Path::new(&program).file_name().unwrap_or(&program).to_string_lossy().into_owned();
    let shown = format!("{name} {}", words.join(" "));
    if !screens {
        let _ = writeln!(io::stderr(), "katascope: {}", visible(&shown));
    }
    let spawned = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SetupError::Usage(format!(
            "{} is not there, and without it a cluster cannot be asked: install it, or save what it prints elsewhere \
             and name the file (kubectl {} > pods.json)",
            visible(&program.to_string_lossy()),
            words.join(" ")
        )),
        _ => SetupError::Usage(format!("{}: {}", visible(&program.to_string_lossy()), plain(&error))),
    })?;
    let (Some(out), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(SetupError::Usage(format!("{shown}: its output cannot be read")));
    };
    let said = std::thread::spawn(move || {
        let mut text = Vec::new();
        let mut errors = BufReader::new(errors);
        let _ = (&mut errors).take(SAID).read_to_end(&mut text);
        // The rest is read, so that kubectl does not wait for it.
        let _ = io::copy(&mut errors, &mut io::sink());
        String::from_utf8_lossy(&text).into_owned()
    });
    let child = Arc::new(Mutex::new(child));
    Ok(Printed { child, out, words: shown, said: Some(said), over: false, screens })
}

impl Printed {
    /// What ends it from elsewhere.
    pub(super) fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.child))
    }

    /// How kubectl ended; its own words where it did not do its work.
    fn end(&mut self) -> io::Result<()> {
        self.over = true;
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait()?;
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let said = visible_lines(&said);
        if status.success() {
            if !said.is_empty() && !self.screens {
                let _ = writeln!(io::stderr(), "{said}");
            }
            return Ok(());
        }
        let said = if said.is_empty() { status.to_string() } else { said };
        Err(io::Error::other(format!("{}: {said}", visible(&self.words))))
    }
}

impl Read for Printed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.over || buffer.is_empty() {
            return Ok(0);
        }
        match self.out.read(buffer) {
            Ok(0) => self.end().map(|()| 0),
            other => other,
        }
    }
}

impl Drop for Printed {
    fn drop(&mut self) {
        if !self.over {
            // Nobody reads on.
            self.stopper().stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_kubectls() {
        let some = ClusterOptions {
            namespace: Some("lab".into()),
            context: Some("east".into()),
            selector: Some("app=web".into()),
            ..ClusterOptions::default()
        };
        assert_eq!(
            some.pods().join(" "),
            "get pods -o json --context=east --namespace=lab --selector=app=web"
        );
        assert!(some.watched().join(" ").ends_with("--selector=app=web --watch --output-watch-events"));
        assert_eq!(some.classes().join(" "), "get runtimeclasses -o json --context=east");
        let all = ClusterOptions { all_namespaces: true, ..ClusterOptions::default() };
        assert_eq!(all.pods().join(" "), "get pods -o json --all-namespaces");
        assert!(all.asked() && !ClusterOptions::default().asked());
    }
}
