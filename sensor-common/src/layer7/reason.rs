//! Why a reader left bytes out, or gave up its place: each way has a counter and goes with its records.

use crate::counter::Counter;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $index:literal, $label:literal, $counter:ident, $harmless:literal;)+) => {
        /// Why bytes of a connection were not read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name = $index,)+
        }

        labels! { Reason: $($name = $label, [$($doc)+];)+ }

        impl Reason {
            /// What counts how often it happened.
            #[inline(always)]
            #[must_use]
            pub const fn counter(self) -> Counter {
                match self { $(Self::$name => Counter::$counter,)+ }
            }

            /// True if a receiver leaves these bytes out too, so that nothing of the session is missing.
            #[must_use]
            pub const fn is_harmless(self) -> bool {
                match self { $(Self::$name => $harmless,)+ }
            }
        }

        impl TryFrom<u8> for Reason {
            type Error = u8;

            fn try_from(value: u8) -> Result<Self, u8> {
                match value {
                    $($index => Ok(Self::$name),)+
                    other => Err(other),
                }
            }
        }
    };
}

reasons! {
    /// The sensor never saw bytes that the reader needed.
    Loss = 1, "loss", L7Loss, false;
    /// The packet has more protocol elements than one packet's budget.
    Budget = 2, "budget", L7Budget, false;
    /// Bytes came before the protocol began: a PROXY header, HTTP CONNECT, clear text, or what was sent before the capture.
    Before = 3, "before", L7Before, true;
    /// A DICOM PDU has a type or a length that no standard knows.
    DicomPdu = 4, "dicom_pdu", DicomPduUnread, false;
    /// An association PDU has a length or a beginning that is impossible.
    DicomAssociate = 5, "dicom_associate", DicomAssociateUnread, false;
    /// An item of an association is longer than what it is in.
    DicomItem = 6, "dicom_item", DicomItemUnread, false;
    /// A presentation data value does not fit in its PDU.
    DicomValue = 7, "dicom_value", DicomValueUnread, false;
    /// A command element does not fit in its command set, or its form is not known.
    DicomElement = 8, "dicom_element", DicomElementUnread, false;
    /// A value of a command element is longer than what may leave the kernel.
    DicomLong = 9, "dicom_long", DicomElementLong, false;
    /// A command set ended before its last fragment.
    DicomCommand = 10, "dicom_command", DicomCommandCut, false;
    /// A data set ended before its last fragment.
    DicomDataSet = 11, "dicom_data_set", DicomDataSetCut, false;
    /// Text stands between MLLP blocks, which MLLP says to ignore.
    Hl7Outside = 12, "hl7_outside", Hl7Outside, true;
    /// An MLLP block does not begin as a message or a batch does.
    Hl7Block = 13, "hl7_block", Hl7BlockUnread, false;
    /// An MLLP block is empty.
    Hl7Empty = 14, "hl7_empty", Hl7BlockEmpty, true;
    /// A message has no end: the next one begins inside it, or other text follows its end character.
    Hl7Cut = 15, "hl7_cut", Hl7MessageCut, false;
    /// The fields of a header segment are longer than what may leave the kernel.
    Hl7Long = 16, "hl7_long", Hl7HeaderLong, false;
    /// A TLS record or handshake message is none, or comes at the wrong place.
    TlsRecord = 17, "tls_record", TlsRecordUnread, false;
    /// A TLS hello message is longer than what is copied.
    TlsLong = 18, "tls_long", TlsHelloLong, false;
}
