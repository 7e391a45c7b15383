//! Values that only exist once the pod runs and have to be shown all the same.
//!
//! Such a value is a token in braces wherever a text can hold one (`{sandbox-id}`, `{uuid}`, `{cid}`,
//! `{netns}`, `{uid}`). A field for a number takes no text, so that the numbers here stand for it until it is
//! printed. They are the values of the recorded hosts; nothing is decided by them.

/// User and group that the runtime makes for a rootless VM: the first that is free on the host. Printed as the tokens
/// below, except in the user's name.
pub const ROOTLESS_USER: u32 = 4242;
/// The user, where its number would stand.
pub const UID_TOKEN: &str = "{uid}";
/// The group, where its number would stand.
pub const GID_TOKEN: &str = "{gid}";
/// That user's run-time folder.
pub const ROOTLESS_FOLDER: &str = "/run/user/{uid}";
/// The group that `/dev/kvm` belongs to, which the user of a rootless VM is put into.
pub const KVM_GROUP: u32 = 36;
