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

/// Declares the measures: name in files, words for people, unit.
macro_rules! measures {
    ($($name:ident $id:literal $label:literal $unit:ident,)*) => {
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
    Flows "flows" "connections opened" Count,
    BytesOut "bytes_out" "bytes sent as a client" Bytes,
    BytesIn "bytes_in" "bytes received as a client" Bytes,
    Resets "resets" "connections that were reset" Count,
    Unanswered "unanswered" "connections without an answer" Count,
    Refused "refused" "connections refused" Count,
    Short "short" "connections shorter than 2 seconds" Count,
    Lasting "lasting" "seconds of connections" Seconds,
    Servers "servers" "different hosts contacted" Count,
    Ports "ports" "different ports contacted" Count,
    NewPeers "new_peers" "hosts contacted for the first time" Count,
    NewPairs "new_pairs" "services used for the first time" Count,
    NewBytes "new_bytes" "bytes exchanged with hosts of the site contacted for the first time" Bytes,
    NewService "new_service" "services used that the site had not seen" Count,
    OutsideFlows "outside_flows" "connections to the Internet" Count,
    OutsideBytes "outside_bytes" "bytes sent to the Internet" Bytes,
    OutsideNew "outside_new" "connections to Internet hosts that nobody here had contacted" Count,
    OutsideUpload "outside_upload" "bytes sent to the Internet beyond those received" Bytes,
    Lookups "lookups" "DNS queries" Count,
    LookupBytes "lookup_bytes" "bytes in DNS queries" Bytes,
    Echo "icmp_bytes" "bytes in ICMP" Bytes,
    Admin "admin" "connections for remote access or file sharing" Count,
    AdminNew "admin_new" "hosts reached by remote access or file sharing for the first time" Count,
    Regular "regular" "connections that came at even intervals" Count,
    Arp "arp" "ARP messages" Count,
    ArpAsked "arp_asked" "different addresses asked for by ARP" Count,
    MacChanged "mac_changed" "packets from another Ethernet address than before" Count,
    // DICOM as a client.
    Associations "associations" "DICOM associations opened" Count,
    Rejected "rejected" "DICOM associations rejected" Count,
    Titles "titles" "different AE titles used" Count,
    NewTitle "new_title" "AE titles used for the first time" Count,
    NewImplementation "new_implementation" "DICOM software seen for the first time" Count,
    Stores "stores" "images stored (C-STORE)" Count,
    Finds "finds" "DICOM queries (C-FIND)" Count,
    Gets "gets" "C-GET requests" Count,
    Moves "moves" "C-MOVE requests" Count,
    Echoes "echoes" "C-ECHO requests" Count,
    OtherCommands "other_commands" "other DICOM requests" Count,
    NewCommand "new_command" "kinds of DICOM requests sent to a server for the first time" Count,
    NewDestination "new_destination" "C-MOVE destinations used for the first time" Count,
    ImagesOut "images_out" "bytes of images sent" Bytes,
    ImagesIn "images_in" "bytes of images received" Bytes,
    ClinicalTls "clinical_tls" "encrypted DICOM or HL7 connections" Count,
    // HL7.
    Messages "messages" "HL7 messages sent" Count,
    NewApplication "new_application" "HL7 applications used for the first time" Count,
    NewMessage "new_message" "kinds of HL7 messages sent to a receiver for the first time" Count,
    RepeatedIds "repeated_ids" "HL7 control ids sent again" Count,
    ClockOff "clock_off" "seconds between the time in HL7 messages and now" Seconds,
    NaksReceived "naks_received" "HL7 messages of it that were not accepted" Count,
    NaksSent "naks_sent" "HL7 messages that it did not accept" Count,
    Acks "acks" "HL7 acknowledgements sent" Count,
    // As a server.
    Served "served" "connections accepted" Count,
    ServedIn "served_in" "bytes received as a server" Bytes,
    ServedOut "served_out" "bytes sent as a server" Bytes,
    ServedRefused "served_refused" "connections that it refused" Count,
    ServedUnanswered "served_unanswered" "connections that it did not answer" Count,
    ServedNew "served_new" "services offered for the first time" Count,
    ServedAssociations "served_associations" "DICOM associations accepted" Count,
    Clients "clients" "different clients" Count,
    NewClients "new_clients" "clients for the first time" Count,
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
