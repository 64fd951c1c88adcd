//! The maps of a loaded instance, by name.

use aya::{Ebpf, maps::Map};

use super::KernelError;

/// Takes a map out of an instance.
pub(super) fn take<T: TryFrom<Map>>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, KernelError> {
    ebpf.take_map(name)
        .and_then(|map| T::try_from(map).ok())
        .ok_or(KernelError::Shape { name })
}
