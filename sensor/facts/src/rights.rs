//! The capabilities that the daemon keeps once its programs are attached.
//!
//! Capabilities are a thread's own (capabilities(7)): each thread gives up what it does not need when it begins, and the
//! threads that read and write the kernel's maps keep `CAP_BPF` alone, which these calls take before Linux 5.19 where
//! `kernel.unprivileged_bpf_disabled` is set.

use caps::{CapSet, Capability, CapsHashSet, errors::CapsError};

/// Rights over files stay with who has them: a daemon that root starts by hand may write where others own the folder.
/// The service has none of these.
const FILES: [Capability; 5] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
];

/// Gives up all of this thread's capabilities but those named, for itself and the threads that it starts.
///
/// # Errors
/// When the kernel refuses, which it has no reason to.
pub fn keep(wanted: &[Capability]) -> Result<(), CapsError> {
    let has = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = FILES.iter().chain(wanted).copied().collect();
    let kept: CapsHashSet = has.intersection(&kept).copied().collect();
    // Linux before 4.3 knows no ambient ones; the programs need 5.10.
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

/// Gives up all of this thread's capabilities, over files excepted.
pub fn drop_all() {
    if let Err(error) = keep(&[]) {
        tracing::warn!("this thread keeps rights that it does not need: {error}");
    }
}
