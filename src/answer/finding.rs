//! Findings: what a careful reader would point out, with a stable code.
//!
//! Text, JSON, SARIF and JUnit print the same list. A finding judges nothing that a runtime does not.

use std::borrow::Cow;

use super::Place;
use super::verdict::Fix;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// An annotation has no effect.
    Ignored,
    /// The pod does not start.
    Refused,
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Whoever wrote the pod.
    PodAuthor,
    /// Whoever runs the hosts.
    ClusterAdministrator,
    /// Whoever built the guest image.
    ImageBuilder,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $description:literal;)*) => {
        /// The stable code of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs)]
        pub enum Code { $($name),* }

        impl Code {
            /// All codes.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The kebab-case spelling of reports.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// What it means in general.
            pub fn description(self) -> &'static str {
                match self { $(Code::$name => $description),* }
            }
        }
    };
}

// One line a code; keep the order of the pod's way (kubernetes, cri, load, annotations, sizing, launch).
codes! {
    AnnotationMisplaced = "annotation-misplaced", "an annotation stands on an object that does not hand it to its pods";
    NoRuntimeClass = "no-runtime-class", "a pod without runtimeClassName runs in the default runtime, not in Kata";
    ListApplyLoss = "list-apply-loss", "kubectl apply drops all annotations of a list item when one value is no string";
    DuplicateKey = "duplicate-key", "a key is written twice, and the last one counts";
    TrailingNewline = "trailing-newline", "a value ends with a line break that a block scalar brought";
    ApplySize = "apply-size", "kubectl apply stores a second copy of the annotations, and both do not fit";
    RequestsWithoutLimits = "requests-without-limits", "requests do not size the VM, limits do";
    PartialLimits = "partial-limits", "only some containers have limits, and the VM is sized for those";
    CfsQuotaOff = "cfs-quota-off", "kubelet does not hand on CPU limits";
    ExclusiveCpus = "exclusive-cpus", "the pod gets CPUs of its own and no quota";
    OverheadLeftOut = "overhead-left-out", "the RuntimeClass's overhead does not enlarge the VM";
    ShortTimeout = "short-timeout", "kubelet gives up before the runtime does";
    NotKata = "not-kata", "annotations of Kata on a pod that another runtime serves";
    HandlerUnknown = "handler-unknown", "nothing given says which handler serves the pod";
    OtherConfiguration = "other-configuration", "a pod is judged by a configuration that its handler does not read";
    ShimMissing = "shim-missing", "the shim of a handler is not where its table says";
    OtherRuntimesFile = "other-runtimes-file", "a configuration file is written for the other runtime";
    OtherReleasesFile = "other-releases-file", "a configuration file is written for another release";
    HandlerMissing = "handler-missing", "the container runtime has no such handler";
    TableUnread = "table-unread", "a table of the container runtime's configuration is ignored";
    SizeNotDelivered = "size-not-delivered", "the container runtime hands the size on under a key that Kata does not read";
    SizePastPolicy = "size-past-policy", "a pod states its VM's size in keys that no list checks";
    ConfigLoad = "config-load", "the configuration file does not load, so no pod starts";
    ConfigOdd = "config-odd", "the configuration loads, but says something that was hardly meant";
    KeyUnread = "key-unread", "nobody reads a key of the configuration file";
    ConfigElsewhere = "config-elsewhere", "a pod picks the configuration file, and with it the policy, itself";
    PodRefused = "pod-refused", "the pod does not start";
    AnnotationRefused = "annotation-refused", "an annotation makes the pod fail";
    AnnotationIgnored = "annotation-ignored", "the runtime reads past an annotation";
    AnnotationUnknown = "annotation-unknown", "no such annotation in this release";
    KeyMisspelt = "key-misspelt", "a key that no runtime reads looks like one that is read";
    KeyMoved = "key-moved", "an annotation has another key in this release";
    ShippedPolicy = "shipped-policy", "which configurations let an annotation in as they are shipped";
    FileRewritten = "file-rewritten", "kata-deploy writes the configuration file anew";
    AnnotationDropped = "annotation-dropped", "the container runtime does not pass an annotation on";
    SandboxInspected = "sandbox-inspected", "what the container runtime tells of a sandbox that runs";
    AnnotationInvalid = "annotation-invalid", "Kubernetes does not accept an annotation";
    AnnotationOverridden = "annotation-overridden", "an annotation took effect and was replaced by a later step";
    SeveralTables = "several-tables", "several tables of one kind, of which the runtime takes one at random";
    ValueReplaced = "value-replaced", "the runtime replaces a configured value without a word";
    ValueCut = "value-cut", "a number is cut to 32 bits";
    WidePattern = "wide-pattern", "a pattern lets in an annotation whose name only contains it";
    NoEffect = "no-effect", "an annotation is accepted, but nothing uses it on this hypervisor";
    PolicyDisabled = "policy-disabled", "one invalid pattern disables the whole list";
    Unprotected = "unprotected", "a confidential guest is asked for, and its VM starts without protection";
    OtherProtection = "other-protection", "the VM is protected in another way than its configuration is for";
    InitdataDropped = "initdata-dropped", "initialization data does not reach the guest";
    InitdataUnmeasured = "initdata-unmeasured", "nothing attests to the initialization data that the guest gets";
    InitdataCut = "initdata-cut", "a platform keeps only the beginning of the initialization data's digest";
    SharedFsDropped = "shared-fs-dropped", "a shared folder is configured, and this VM gets none";
    DevicesUnseen = "devices-unseen", "a pod asks for devices that only the host knows, or that no VM gets";
    ContainerRoot = "container-root", "nothing brings the containers' root file systems into the VM";
    GlobOverFolders = "glob-over-folders", "a path is let through because a * reaches over /";
    PathClimbs = "path-climbs", "a path with .. is let through";
    NotANumber = "not-a-number", "a number that is none passes every check";
    OverheadOnly = "overhead-only", "the VM gets no more memory than the overhead";
    SizeReplaced = "size-replaced", "static sizing replaces what an annotation asks for";
    OtherSyntax = "other-syntax", "a value is written as the other runtime takes it, and does not work here";
    DigestCut = "digest-cut", "a digest is longer than what the TEE measures, and is cut";
    HugePagesShort = "huge-pages-short", "the VM's memory is to come from huge pages that the host does not have";
    PluggedIn = "plugged-in", "a large part of the VM's memory is plugged in while it runs";
    NoHotplug = "no-hotplug", "the VM cannot grow, and keeps the size that it boots with";
    DeviceMissing = "device-missing", "the host lacks a device that VMs need";
    CgroupShort = "cgroup-short", "the pod's cgroup is smaller than the VM may become";
    LargerThanHost = "larger-than-host", "the VM is to be larger than the host";
    GuestMustBring = "guest-must-bring", "an annotation asks for something that the guest image has to bring";
    RandomOrder = "random-order", "the runtime puts parts of the VM's command in random order, of which one is shown";
    FailsLater = "fails-later", "the VM is started, and a later step fails";
    NotVerified = "not-verified", "the answer follows the source of the runtime, and no recording confirms it";
    RuntimePanics = "runtime-panics", "the real runtime crashes on this input";
}

/// One finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its code.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// The annotation or configuration key it is about.
    pub subject: Option<String>,
    /// Where to look.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: Option<Fix>,
    /// Who can.
    pub who: Who,
}

impl Finding {
    /// A finding of no particular key and place.
    pub fn new(code: Code, severity: Severity, who: Who, message: impl Into<String>) -> Self {
        Self { code, severity, subject: None, place: None, message: message.into(), fix: None, who }
    }

    /// One worth knowing.
    pub fn note(code: Code, who: Who, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, who, message)
    }

    /// One that tells of what was probably not meant.
    pub fn warning(code: Code, who: Who, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, who, message)
    }

    /// The annotation or configuration key it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Where to look, if that is known.
    #[must_use]
    pub fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    /// What a person has to do; an empty text is no advice.
    #[must_use]
    pub fn advise(mut self, what: impl Into<Cow<'static, str>>) -> Self {
        self.fix = Some(what.into()).filter(|what| !what.is_empty()).map(Fix::Advice);
        self
    }
}
