//! DICOM requests that detectors look for.

/// C-GET and C-MOVE requests (PS3.7 annex E.1).
pub(super) const PULLS: [u16; 2] = [0x0010, 0x0021];
/// C-FIND request.
pub(super) const FIND: u16 = 0x0020;
