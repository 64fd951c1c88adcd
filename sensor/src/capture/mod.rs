//! Packets from a file instead of from the kernel: the portable engine, which runs the kernel's own
//! logic on memory of the process, and the reader of capture files.

pub mod engine;
mod table;

pub use engine::PortableEngine;
