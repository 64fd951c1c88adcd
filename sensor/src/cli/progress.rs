//! Progress of reading a capture, and what of it could not be read.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use sensor_analysis::replay::Progress;
use sensor_sessions::capture::{Ending, file::Reading};

/// A file of at least so many bytes gets a progress bar on a terminal.
pub(super) const LONG: u64 = 50_000_000;

/// A progress bar for a file of `size` bytes.
pub(super) fn progress_bar(size: u64, path: &Path) -> ProgressBar {
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template(
        "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
    ) {
        bar.set_style(style);
    }
    bar.set_message(path.display().to_string());
    bar
}

/// Shows how far it is.
pub(super) fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_position(progress.bytes);
}

/// Says on standard error what of a file was not read.
pub(super) fn warn(path: &Path, reading: &Reading) {
    let name = path.display();
    match reading.ending {
        Ending::Complete | Ending::Stopped => {}
        Ending::Cut(offset) => eprintln!(
            "wardtap: {name} ends inside the packet that begins at byte {offset}; the {} packets before it \
             were read",
            reading.packets
        ),
        Ending::Damaged(offset) => eprintln!(
            "wardtap: {name} is damaged at byte {offset}; the {} packets before it were read",
            reading.packets
        ),
    }
    for (link_type, packets) in &reading.skipped {
        match link_type {
            Some(number) => eprintln!(
                "wardtap: {packets} packets of {name} were left out: their link type {number} can't be read"
            ),
            None => eprintln!(
                "wardtap: {packets} packets of {name} were left out: the file does not describe their \
                 interface"
            ),
        }
    }
}
