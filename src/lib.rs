//! katascope: what Kata Containers makes of a pod's annotations on a host, before the pod is started.
//!
//! It answers three questions: *this pod on this host, what happens? this policy, what does it let in?
//! if I change it, what changes?* What it says is what the real runtime does, at the release that is asked
//! for: the Go runtime since 2.0.0, runtime-rs since 3.0.0.
//!
//! # The house
//!
//! A library that knows Kata and no terminal, and two thin faces. Data goes one way:
//!
//! ```text
//! golang, release, catalog, answer -> input -> policy -> runtime -> launch, agent -> evaluate -> diff -> report -> tui, cli
//! ```
//!
//! | room | decides |
//! | --- | --- |
//! | [`golang`] | what Go and its libraries do to texts; knows no Kata |
//! | [`answer`] | the words all rooms answer in: verdict, finding, fix, effective value, launch, agent's setup, place |
//! | [`input`] | what the files say: configuration layers, manifests, the host; every value with its place |
//! | [`release`] | runtime and version, and spans of versions; nothing else compares them |
//! | [`catalog`] | what exists: each annotation and configuration key, with type, gate, risk and releases |
//! | [`kubernetes`] | what Kubernetes accepts, and what kubelet makes of a pod's resources |
//! | [`cri`] | what containerd and CRI-O pass on, and which shim and file serve a handler |
//! | [`mod@node`] | the handlers of a node with their shims, runtimes, releases and files; a pod to its handler |
//! | [`policy`] | who may set what: the name gate and the value gates, each runtime's own way |
//! | [`runtime`] | how a release loads, defaults, checks and merges, in its own order |
//! | [`launch`], `agent` | effective configuration to VM command, requests, guest kernel command line |
//! | [`mod@evaluate`] | the one door: a pod in, an evaluation out |
//! | `query` | which pods, annotations and keys a person means by what is typed |
//! | [`diff`] | two evaluations to changes |
//! | [`edit`] | a policy edit to a changed file, with undo and an atomic save |
//! | [`mod@suggest`] | the tightest policy with which a set of pods does all that it can do |
//! | [`mod@upgrade`] | what another release would change, by cause |
//! | `audit` | what the policy of a setup lets in |
//! | [`running`] | what a process line of a running VM says: arguments, keys, releases |
//! | [`mod@export`] | the policy of a host for a cluster: admission policies and the node's own files |
//! | [`explain`], [`report`] | words for people and machines |
//! | [`cli`], [`tui`] | arguments and screens; neither knows a rule of Kata |
//!
//! # Where is X decided?
//!
//! | question | place |
//! | --- | --- |
//! | may a pod set it? | [`policy`] |
//! | which layer wins? | `runtime::<release>` |
//! | type, unit, default, gate? | `assets/catalog`, [`catalog`] |
//! | why this VM argument? | `launch::<runtime>::<hypervisor>` |
//! | what changes in the file? | [`edit`] |
//! | exit status, JSON shape? | `cli::exit`, [`report::json`] |
//!
//! # A pod in ten lines
//!
//! ```
//! use katascope::{input::manifest, runtime::Depth, sample};
//!
//! let evaluator = sample::evaluator();
//! for pod in manifest::read(&sample::pods())?.pods {
//!     let evaluation = evaluator.evaluate(&pod, Depth::Verdicts);
//!     println!("{}: {}", pod.id(), evaluation.outcome.as_str());
//!     for verdict in &evaluation.verdicts {
//!         println!("  {} {}: {}", verdict.key, verdict.status.as_str(), verdict.reason());
//!     }
//! }
//! # Ok::<(), manifest::InputError>(())
//! ```
#![forbid(unsafe_code)]

pub mod answer;
pub mod catalog;
pub mod cli;
pub mod cri;
pub mod evaluate;
pub mod input;
pub mod kubernetes;
pub mod release;
pub mod runtime;
pub mod sample;

// No part of the promise: what the faces share, public so that the tests beside the library reach it.
#[doc(hidden)]
pub mod diff;
#[doc(hidden)]
pub mod edit;
#[doc(hidden)]
pub mod explain;
#[doc(hidden)]
pub mod export;
#[doc(hidden)]
pub mod golang;
#[doc(hidden)]
pub mod launch;
#[doc(hidden)]
pub mod node;
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod running;
#[doc(hidden)]
pub mod suggest;
#[doc(hidden)]
pub mod tui;
#[doc(hidden)]
pub mod upgrade;

mod agent;
mod audit;
mod query;
