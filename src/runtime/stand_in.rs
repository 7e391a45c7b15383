//! Values that only exist once the pod runs and have to be shown all the same.
//!
//! Such a value is a token in braces wherever a text can hold one (`{sandbox-id}`, `{uuid}`, `{cid}`,
//! `{netns}`, `{uid}`). These cannot be tokens: a field for a number takes no text, the length of a path decides
//! whether a socket fits, and who names one particular sandbox wants whole answers, to be compared with
//! what was recorded of the real runtime. They are the values of the recorded hosts; nothing is decided
//! by them.

/// User and group that the runtime makes for a rootless VM: the first that is free on the host.
pub const ROOTLESS_USER: u32 = 4242;
/// That user's run-time folder, with `ROOTLESS_USER`'s number.
pub const ROOTLESS_FOLDER: &str = "/run/user/4242";
/// The group that `/dev/kvm` belongs to, which the user of a rootless VM is put into.
pub const KVM_GROUP: u32 = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_user_s() {
        assert_eq!(ROOTLESS_FOLDER, format!("/run/user/{ROOTLESS_USER}"));
    }
}
