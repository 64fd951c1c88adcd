//! The kernel as a platform of `sensor_common::engine`: maps, clock, ring buffer, and the entry points.

mod decisions;
mod emit;
mod established;
#[macro_use]
pub(crate) mod frame;
mod instance;
mod maps;
mod platform;
pub(crate) mod programs;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // The shared logic has no panic in it: a path that led here would not pass the verifier.
    loop {}
}
