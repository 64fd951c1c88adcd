//! The content of the events of each protocol, one module a protocol; the kernel's registry declares them.
//!
//! A module's `Content` is the content of its events, which implements [`SessionEvent`](super::SessionEvent).

/// Declares the module of each protocol, and gives out its types.
macro_rules! modules {
    ($(($protocol:ident $module:ident))+) => {
        $(
            pub(super) mod $module;
            pub use $module::*;
        )+
    };
}

sensor_common::for_each_protocol! { modules: }
