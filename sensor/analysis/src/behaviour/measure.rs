//! What is measured of a device in a window.

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

/// Who makes a value what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The device itself.
    Own,
    /// Those who turn to it.
    Others,
}

/// Declares the measures: name in files, words for people, unit, side.
macro_rules! measures {
    ($($name:ident $id:literal $label:literal $unit:ident $side:ident,)*) => {
        /// A measure of what a device does in a window.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Measure {
            $(#[doc = $label] $name,)*
        }

        impl Measure {
            /// All of them, in their order.
            pub const ALL: [Self; MEASURES] = [$(Self::$name),*];

            /// Its name in files.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// Its name for people.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// Who makes the value what it is.
            #[must_use]
            pub const fn side(self) -> Side {
                match self { $(Self::$name => Side::$side,)* }
            }

            /// How its values are written.
            #[must_use]
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)* }
            }
        }

        /// How many measures there are.
        pub const MEASURES: usize = [$($id),*].len();
    };
}

measures! {
    // As a client.
    Flows "flows" "connections opened" Count Own,
    BytesOut "bytes_out" "bytes sent as a client" Bytes Own,
    BytesIn "bytes_in" "bytes received as a client" Bytes Own,
    Resets "resets" "connections that were reset" Count Own,
    Unanswered "unanswered" "connections without an answer" Count Own,
    Refused "refused" "connections refused" Count Own,
    Short "short" "connections shorter than 2 seconds" Count Own,
    Lasting "lasting" "seconds of connections" Seconds Own,
    Servers "servers" "different hosts contacted" Count Own,
    Ports "ports" "different ports contacted" Count Own,
    NewPeers "new_peers" "hosts contacted for the first time" Count Own,
    NewPairs "new_pairs" "services used for the first time" Count Own,
    NewBytes "new_bytes" "bytes exchanged with hosts of the site contacted for the first time" Bytes Own,
    NewService "new_service" "services used that the site had not seen" Count Own,
    OutsideFlows "outside_flows" "connections to the Internet" Count Own,
    OutsideBytes "outside_bytes" "bytes sent to the Internet" Bytes Own,
    OutsideNew "outside_new" "connections to Internet hosts that nobody here had contacted" Count Own,
    OutsideUpload "outside_upload" "bytes sent to the Internet beyond those received" Bytes Own,
    Lookups "lookups" "DNS queries" Count Own,
    LookupBytes "lookup_bytes" "bytes in DNS queries" Bytes Own,
    Echo "icmp_bytes" "bytes in ICMP" Bytes Own,
    Admin "admin" "connections for remote access or file sharing" Count Own,
    AdminNew "admin_new" "hosts reached by remote access or file sharing for the first time" Count Own,
    Regular "regular" "connections that came at even intervals" Count Own,
    Arp "arp" "ARP messages" Count Own,
    ArpAsked "arp_asked" "different addresses asked for by ARP" Count Own,
    MacChanged "mac_changed" "packets from another Ethernet address than before" Count Own,
    // DICOM as a client.
    Associations "associations" "DICOM associations opened" Count Own,
    Rejected "rejected" "DICOM associations rejected" Count Own,
    Titles "titles" "different AE titles used" Count Own,
    NewTitle "new_title" "AE titles used for the first time" Count Own,
    NewImplementation "new_implementation" "DICOM software seen for the first time" Count Own,
    Stores "stores" "images stored (C-STORE)" Count Own,
    Finds "finds" "DICOM queries (C-FIND)" Count Own,
    Gets "gets" "C-GET requests" Count Own,
    Moves "moves" "C-MOVE requests" Count Own,
    Echoes "echoes" "C-ECHO requests" Count Own,
    OtherCommands "other_commands" "other DICOM requests" Count Own,
    NewCommand "new_command" "kinds of DICOM requests sent to a server for the first time" Count Own,
    NewDestination "new_destination" "C-MOVE destinations used for the first time" Count Own,
    ImagesOut "images_out" "bytes of images sent" Bytes Own,
    ImagesIn "images_in" "bytes of images received" Bytes Own,
    ClinicalTls "clinical_tls" "encrypted DICOM or HL7 connections" Count Own,
    // HL7.
    Messages "messages" "HL7 messages sent" Count Own,
    NewApplication "new_application" "HL7 applications used for the first time" Count Own,
    NewMessage "new_message" "kinds of HL7 messages sent to a receiver for the first time" Count Own,
    RepeatedIds "repeated_ids" "HL7 control ids sent again" Count Own,
    ClockOff "clock_off" "seconds between the time in HL7 messages and now" Seconds Own,
    NaksReceived "naks_received" "HL7 messages of it that were not accepted" Count Own,
    NaksSent "naks_sent" "HL7 messages that it did not accept" Count Others,
    Acks "acks" "HL7 acknowledgements sent" Count Others,
    // As a server.
    Served "served" "connections accepted" Count Others,
    ServedIn "served_in" "bytes received as a server" Bytes Others,
    ServedOut "served_out" "bytes sent as a server" Bytes Others,
    ServedRefused "served_refused" "connections that it refused" Count Others,
    ServedUnanswered "served_unanswered" "connections that it did not answer" Count Others,
    ServedNew "served_new" "services offered for the first time" Count Own,
    ServedAssociations "served_associations" "DICOM associations accepted" Count Others,
    Clients "clients" "different clients" Count Others,
    NewClients "new_clients" "clients for the first time" Count Others,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_numbered_in_their_order_and_named_apart() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, index);
        }
        let mut ids = Measure::ALL.map(Measure::id).to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), MEASURES);
    }
}
