//! What each field that leaves the site is: the one place where that is said.
//!
//! A field is known by its name, and where the name says too little by the name of what it stands in. Whatever its
//! class, addresses are replaced wherever they stand; in a field that is not in the table known names are too.

use super::Named;

/// What becomes of a field's strings and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// They stay but for addresses: words of this program and of standards, and what names a product and no site.
    Kept,
    /// One word of this program, which stays; where it is more it is [`Class::Text`].
    Word,
    /// An address, a socket, a prefix or an Ethernet address.
    Address,
    /// A name as a whole.
    Name(Named),
    /// Words of this program, in which addresses and names are looked for.
    Text,
    /// Words of a person if a person did it, who may write anything; else as [`Class::Text`].
    Reason,
    /// A number of which the addresses can be guessed.
    FlowId,
    /// Made anew of the addresses that are there now.
    CommunityId,
}

use Class::{Address, CommunityId, FlowId, Kept, Name, Reason, Text, Word};

const AE: Class = Name(Named::AeTitle);
const APPLICATION: Class = Name(Named::Application);
const HOST: Class = Name(Named::Host);
const PERSON: Class = Name(Named::Person);
const OTHER: Class = Name(Named::Text);

/// Names that mean different things in different places: where, name, class.
const PLACED: &[(&str, &str, Class)] = &[
    ("abstract_syntax", "name", Kept),
    ("actor", "name", PERSON),
    ("ae_title", "title", AE),
    ("ae_titles", "title", AE),
    ("agreements", "text", OTHER),
    ("by", "name", PERSON),
    ("callers", "title", AE),
    ("flow", "reason", Kept),
    ("names", "name", HOST),
    ("outputs", "target", OTHER),
    ("result", "text", Kept),
    ("sop_class", "name", Kept),
    ("transfer_syntax", "name", Kept),
    ("transfer_syntaxes", "name", Kept),
    ("user_identity", "text", Kept),
];

const FIELDS: &[(&str, Class)] = &[
    // Addresses, and what is made of them.
    ("a", Address),
    ("address", Address),
    ("addresses", Address),
    ("b", Address),
    ("client", Address),
    ("community_id", CommunityId),
    ("connection", Address),
    ("dest_ip", Address),
    ("dest_mac", Address),
    ("device", Address),
    ("first_affected", Address),
    ("peer", Address),
    ("flow_id", FlowId),
    ("mac", Address),
    ("receivers", Address),
    ("macs", Address),
    ("server", Address),
    ("src_ip", Address),
    ("sender_mac", Address),
    ("src_mac", Address),
    ("subnet", Address),
    ("victims", Address),
    // Names of devices, software as it is set up at the site, and people.
    ("ack_control_id", OTHER),
    ("ae_title", AE),
    ("ae_titles", AE),
    ("actor", PERSON),
    ("application", APPLICATION),
    ("applications", APPLICATION),
    ("by", PERSON),
    ("called_ae", AE),
    ("calling_ae", AE),
    ("comment", OTHER),
    ("control_id", OTHER),
    ("facility", APPLICATION),
    ("group", OTHER),
    ("host_name", HOST),
    ("hostname", HOST),
    ("move_destinations", AE),
    ("names", HOST),
    ("note", OTHER),
    ("person", PERSON),
    ("receiving_application", APPLICATION),
    ("receiving_facility", APPLICATION),
    ("sending_application", APPLICATION),
    ("sending_facility", APPLICATION),
    ("sni", HOST),
    // Words.
    ("check", Text),
    ("clinical", Text),
    ("detail", Text),
    ("detectors_off", Kept),
    ("detectors_on", Kept),
    ("error", Text),
    ("differences", Text),
    ("evidence", Text),
    ("exported", Text),
    ("feature", Text),
    ("finding", Text),
    ("interfaces", Text),
    ("key", Text),
    ("new", Text),
    ("old", Text),
    ("restart", Kept),
    ("name", Text),
    ("reason", Reason),
    ("subject", Text),
    ("text", Text),
    ("title", Text),
    ("warnings", Text),
    ("what", Text),
    ("whom", Text),
    ("why", Text),
    ("wrong_if", Text),
    // Words of standards and of this program that name nobody.
    ("ack_code", Kept),
    ("action", Word),
    ("advisory", Kept),
    ("alpn", Kept),
    ("app", Kept),
    ("app_proto", Kept),
    ("application_context", Kept),
    ("basis", Kept),
    ("cause", Kept),
    ("change", Kept),
    ("cipher_suite", Kept),
    ("class_uid", Kept),
    ("client_version", Kept),
    ("command", Kept),
    ("concern", Kept),
    ("condition", Kept),
    ("config", Kept),
    ("detector", Kept),
    ("detectors", Kept),
    ("event_type", Kept),
    ("hash", Kept),
    ("in_iface", Kept),
    ("interface", Kept),
    ("kind", Kept),
    ("label", Kept),
    ("likely", Kept),
    ("message_code", Kept),
    ("message_time", Kept),
    ("message_type", Kept),
    ("mode", Kept),
    ("occasion", Kept),
    ("outcome", Word),
    ("processing_id", Kept),
    ("proto", Kept),
    ("reason_text", Kept),
    ("replaces", Kept),
    ("result_text", Kept),
    ("origin", Kept),
    ("role", Kept),
    ("schema", Kept),
    ("scope", Kept),
    ("severity", Kept),
    ("sha256", Kept),
    ("source", Word),
    ("source_text", Kept),
    ("state", Kept),
    ("stage", Kept),
    ("supported_versions", Kept),
    ("technique", Kept),
    ("techniques", Kept),
    ("tie", Kept),
    ("transport", Kept),
    ("trigger_event", Kept),
    ("tunnels", Kept),
    ("type", Kept),
    ("uid", Kept),
    ("vendor", Kept),
    ("vendor_class", Kept),
    ("verdict", Kept),
    ("version", Kept),
    ("version_name", Kept),
    ("versions", Kept),
    // Times.
    ("at", Kept),
    ("closed", Kept),
    ("created", Kept),
    ("end", Kept),
    ("expires", Kept),
    ("first", Kept),
    ("first_seen", Kept),
    ("frozen_until", Kept),
    ("last", Kept),
    ("last_end", Kept),
    ("last_seen", Kept),
    ("opened", Kept),
    ("released", Kept),
    ("since", Kept),
    ("start", Kept),
    ("time", Kept),
    ("timestamp", Kept),
    ("until", Kept),
    ("updated", Kept),
];

/// The class of the field `name` in `place`, where it is known.
pub(super) fn known(place: &str, name: &str) -> Option<Class> {
    let placed = PLACED
        .iter()
        .find(|(at, of, _)| *at == place && *of == name);
    let class = placed.map(|(_, _, class)| *class);
    class.or_else(|| {
        let found = FIELDS.iter().find(|(of, _)| *of == name);
        found.map(|(_, class)| *class)
    })
}

/// The class of any field.
pub(super) fn class(place: &str, name: &str) -> Class {
    known(place, name).unwrap_or(Text)
}
