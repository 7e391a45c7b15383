//! What is started and asked for, piece by piece, with what put each piece there: the words that the launches
//! of all runtimes and hypervisors answer in.

use std::borrow::Cow;

use serde_json::Value as Json;
use smallvec::SmallVec;

/// What put an argument, parameter or field there. The origin of a key (file, annotation, ...) is
/// looked up in the effective values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cause {
    /// The configuration keys that decided it, whole (`hypervisor.qemu.default_memory`).
    pub keys: CauseKeys,
    /// The rule or constant, in a few words; empty where the keys say it all.
    pub rule: Cow<'static, str>,
    /// Of an element of a list to which the pod's annotation adds: whether it stood in the configuration.
    pub configured: bool,
}

impl Cause {
    /// The runtime always does this.
    pub fn constant() -> Self {
        Self::rule("always")
    }

    /// A rule of the runtime, in a few words.
    pub fn rule(rule: impl Into<Cow<'static, str>>) -> Self {
        Self::default().by(rule)
    }

    /// One configuration key.
    pub fn key(key: impl Into<Cow<'static, str>>) -> Self {
        Self::keys([key])
    }

    /// Several configuration keys.
    pub fn keys<K: Into<Cow<'static, str>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Says of an element of a list whether it stood in the configuration, before the pod added to the list.
    #[must_use]
    pub fn configured(mut self, configured: bool) -> Self {
        self.configured = configured;
        self
    }

    /// Adds the keys of another cause that are not among its own.
    pub fn add_keys(&mut self, other: &Self) {
        for key in other.keys.iter() {
            if !self.keys.contains(key) {
                self.keys.push(key.clone());
            }
        }
    }

    /// Adds the rule that used the keys.
    #[must_use]
    pub fn by(mut self, rule: impl Into<Cow<'static, str>>) -> Self {
        self.rule = rule.into();
        self
    }
}

/// A key decided it.
impl From<&'static str> for Cause {
    fn from(key: &'static str) -> Self {
        Self::key(key)
    }
}

/// Several keys did.
impl<const N: usize> From<[&'static str; N]> for Cause {
    fn from(keys: [&'static str; N]) -> Self {
        Self::keys(keys)
    }
}

/// What decided another one, too.
impl From<&Self> for Cause {
    fn from(cause: &Self) -> Self {
        cause.clone()
    }
}

/// The keys of a cause, of which there are hardly ever more than two: those cost no allocation.
pub type CauseKeys = SmallVec<[Cow<'static, str>; 2]>;

/// One argument with its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// The argument, as `execve` gets it.
    pub text: String,
    /// What put it there.
    pub cause: Cause,
}

impl Arg {
    /// An argument.
    pub fn new(text: impl Into<String>, cause: Cause) -> Self {
        Self { text: text.into(), cause }
    }
}

/// The guest kernel's command line, as one text.
pub fn joined(params: &[Arg]) -> String {
    let mut line = String::with_capacity(params.iter().map(|param| param.text.len() + 1).sum());
    for param in params {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&param.text);
    }
    line
}

/// A process started beside the VM: virtiofsd or nydusd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// The binary, and what has it started.
    pub program: Arg,
    /// Its arguments, without the program name.
    pub args: Vec<Arg>,
}

/// A file written for the VMM (Firecracker's configuration, in Go).
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchFile {
    /// Its path.
    pub path: String,
    /// Its content.
    pub body: Json,
    /// What decided each part of the content, by JSON pointer; absent parts are constant.
    pub causes: Vec<(String, Cause)>,
}

/// One API request to the VMM.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `PUT`, ...; `action` (dragonball), `rpc` (remote, openvmm).
    pub method: String,
    /// The path, action or call.
    pub path: String,
    /// The body.
    pub body: Json,
    /// What decided each part of the body, by JSON pointer; absent parts are constant.
    pub causes: Vec<(String, Cause)>,
}

/// Everything that is started or asked for one pod.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Launch {
    /// The VMM binary, and what chose it; `None` where there is no process of its own.
    pub program: Option<Arg>,
    /// Its arguments, without the program name.
    pub args: Vec<Arg>,
    /// Processes beside it.
    pub helpers: Vec<Helper>,
    /// Files written for it.
    pub files: Vec<LaunchFile>,
    /// Requests to its API, in order.
    pub requests: Vec<Request>,
}

/// A file or a request's body, as a document to be read or compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Document<'l> {
    /// Where it goes, in words that tell it from the others: `file PATH`, `PUT vm.create`.
    pub title: (&'l str, &'l str),
    /// Its content.
    pub body: &'l Json,
    /// What decided each part of the content, by JSON pointer.
    pub causes: &'l [(String, Cause)],
}

impl Document<'_> {
    /// The title as one text.
    pub fn name(&self) -> String {
        format!("{} {}", self.title.0, self.title.1)
    }
}

impl Launch {
    /// Lets the guest's command line, wherever it is handed over, hang on all that its parameters hang on.
    pub fn explain_line(&mut self, line: &str, params: &[Arg]) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        let mut all = Cause::default();
        params.iter().for_each(|param| all.add_keys(&param.cause));
        // Hardly any argument is as long.
        let is_line = |text: &str| text.len() >= line.len() && text.trim() == line;
        for arg in self.args.iter_mut().filter(|arg| is_line(&arg.text)) {
            arg.cause.add_keys(&all);
        }
        let files = self.files.iter_mut().map(|file| (&file.body, &mut file.causes));
        let requests = self.requests.iter_mut().map(|request| (&request.body, &mut request.causes));
        for (body, causes) in files.chain(requests) {
            for (pointer, cause) in causes {
                if body.pointer(pointer).and_then(Json::as_str).is_some_and(is_line) {
                    cause.add_keys(&all);
                }
            }
        }
    }

    /// The files and the requests, in order.
    pub fn documents(&self) -> impl Iterator<Item = Document<'_>> {
        let files = self.files.iter().map(|file| Document {
            title: ("file", &file.path),
            body: &file.body,
            causes: &file.causes,
        });
        let requests = self.requests.iter().map(|request| Document {
            title: (&request.method, &request.path),
            body: &request.body,
            causes: &request.causes,
        });
        files.chain(requests)
    }
}

/// What decided the place that `pointer` names: the cause of the nearest part around it.
pub fn cause_at<'c>(causes: &'c [(String, Cause)], pointer: &str) -> Option<&'c Cause> {
    let around =
        |part: &str| pointer.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let nearest = causes.iter().filter(|(part, _)| around(part)).max_by_key(|(part, _)| part.len());
    nearest.map(|(_, cause)| cause)
}
