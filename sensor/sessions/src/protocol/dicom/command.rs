//! Command sets: group 0000 (PS3.7 section 6.3 and annex E), in the encoding that their first element shows.

use sensor_common::layer7::dicom::{BIG_ENDIAN, EXPLICIT_VR};

use super::{error::DicomError, names::Uid};
use crate::protocol::text::title;

/// C-CANCEL-RQ.
pub(crate) const CANCEL: u16 = 0x0fff;
/// (0000,0800) says that no data set follows.
const NO_DATA_SET: u16 = 0x0101;

/// The elements of a command set that leave the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandSet {
    /// [`BIG_ENDIAN`] and [`EXPLICIT_VR`].
    encoding: u8,
    /// (0000,0002), or (0000,0003) where there is none.
    pub(crate) sop_class: Option<Uid>,
    /// Command Field (0000,0100).
    pub(crate) field: Option<u16>,
    /// Message ID (0000,0110).
    pub(crate) message_id: Option<u16>,
    /// Message ID Being Responded To (0000,0120).
    pub(crate) responds_to: Option<u16>,
    /// Move Destination (0000,0600).
    pub(crate) destination: Option<String>,
    /// Command Data Set Type (0000,0800).
    pub(crate) data_set: Option<u16>,
    /// Status (0000,0900).
    pub(crate) status: Option<u16>,
    /// Number of Remaining Sub-operations (0000,1020).
    pub(crate) remaining: Option<u16>,
    /// Number of Completed Sub-operations (0000,1021).
    pub(crate) completed: Option<u16>,
    /// Number of Failed Sub-operations (0000,1022).
    pub(crate) failed: Option<u16>,
    /// Number of Warning Sub-operations (0000,1023).
    pub(crate) warning: Option<u16>,
}

impl CommandSet {
    /// A command set without elements.
    pub(crate) fn new(encoding: u8) -> Self {
        Self {
            encoding,
            ..Self::default()
        }
    }

    fn number(&self, bytes: [u8; 2]) -> u16 {
        if self.encoding & BIG_ENDIAN != 0 {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    /// Takes one element: tag, length, value. `Ok(false)`: bytes are missing.
    pub(crate) fn element(&mut self, bytes: &[u8]) -> Result<bool, DicomError> {
        let Some(([g0, g1, e0, e1, l0, l1, l2, l3], rest)) = bytes.split_first_chunk::<8>() else {
            return Ok(false);
        };
        if [*g0, *g1] != [0, 0] {
            return Err(DicomError {
                what: "command element outside group 0000",
                offset: 0,
            });
        }
        let length = match (
            self.encoding & EXPLICIT_VR != 0,
            self.encoding & BIG_ENDIAN != 0,
        ) {
            (true, _) => u32::from(self.number([*l2, *l3])),
            (false, true) => u32::from_be_bytes([*l0, *l1, *l2, *l3]),
            (false, false) => u32::from_le_bytes([*l0, *l1, *l2, *l3]),
        };
        let Some(value) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length))
        else {
            return Ok(false);
        };
        // An empty value says nothing.
        let number = || match value {
            [] => Ok(None),
            [first, second] => Ok(Some(self.number([*first, *second]))),
            _ => Err(DicomError {
                what: "number in a command set, which has two bytes",
                offset: 8,
            }),
        };
        match self.number([*e0, *e1]) {
            0x0002 => self.sop_class = Some(Uid::of_bytes(value)),
            0x0003 if self.sop_class.is_none() => self.sop_class = Some(Uid::of_bytes(value)),
            0x0100 => self.field = number()?,
            0x0110 => self.message_id = number()?,
            0x0120 => self.responds_to = number()?,
            0x0600 => self.destination = Some(title(value)),
            0x0800 => self.data_set = number()?,
            0x0900 => self.status = number()?,
            0x1020 => self.remaining = number()?,
            0x1021 => self.completed = number()?,
            0x1022 => self.failed = number()?,
            0x1023 => self.warning = number()?,
            _ => {}
        }
        Ok(true)
    }

    /// True if a data set follows the command.
    pub(crate) fn has_data_set(&self) -> bool {
        self.data_set.is_some_and(|kind| kind != NO_DATA_SET)
    }
}

/// Class of a status (PS3.7 annex C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusClass {
    Success,
    Pending,
    Warning,
    Failure,
    Cancel,
}

impl StatusClass {
    pub(crate) const fn of(status: u16) -> Self {
        match status {
            0x0000 => Self::Success,
            0xff00 | 0xff01 => Self::Pending,
            0xfe00 => Self::Cancel,
            0x0001 | 0x0107 | 0x0116 | 0xb000..=0xbfff => Self::Warning,
            _ => Self::Failure,
        }
    }
}
