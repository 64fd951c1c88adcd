//! What can be known before anything is touched.

use super::{KernelError, host, options::Options};

impl Options {
    /// Says what can be known to hinder [`Kernel::load`] before anything is touched.
    ///
    /// # Errors
    /// No or unknown interfaces, an old kernel, missing capabilities.
    pub fn preflight(&self) -> Result<(), KernelError> {
        if self.interfaces.is_empty() {
            return Err(KernelError::NoInterface);
        }
        let found = host::release();
        if !host::is_new_enough(&found) {
            return Err(KernelError::OldKernel { found });
        }
        let missing = host::missing_capabilities();
        if !missing.is_empty() {
            return Err(KernelError::NotPermitted {
                missing: missing.join(", "),
            });
        }
        let there = nix::net::if_::if_nameindex().map_err(|error| KernelError::System {
            call: "if_nameindex",
            source: error.into(),
        })?;
        let names: Vec<_> = there
            .iter()
            .map(|interface| interface.name().to_string_lossy().into_owned())
            .collect();
        for interface in &self.interfaces {
            if !names.contains(&interface.name) {
                return Err(KernelError::UnknownInterface {
                    name: interface.name.clone(),
                    there: names.join(", "),
                });
            }
        }
        Ok(())
    }
}
