//! The detectors, a file each, named by the detector's id. Each declares all about it in its `ABOUT`.
//!
//! This file is made of the list of files by `UPDATE_DOCS=1 cargo test -p sensor-analysis docs`.

mod ae_rejects;
mod arp_spoof;
mod backdoor;
mod beacon;
mod brute_force;
mod clear_text;
mod device_access;
mod dhcp_starvation;
mod dns_tunnel;
mod echo_sweep;
mod exfiltration;
mod fan_out;
mod first_outside;
mod flood;
mod hl7_replay;
mod hl7_sender;
mod icmp_tunnel;
mod mac_flood;
mod mass_find;
mod move_destination;
mod nak_burst;
mod nd_spoof;
mod new_answerer;
mod new_puller;
mod new_service;
mod off_hours;
mod probe;
mod redirect;
mod rogue_dhcp;
mod rogue_ra;
mod scan;
mod share_rewrite;
mod slow_requests;
mod strange_flows;
mod study_exfiltration;
mod sweep;
mod time_skew;
mod unknown_modality;
mod unusual_amount;
mod unusual_behaviour;
mod way_out;

use super::about::About;

/// All detectors, in the order in which they are asked.
pub static ALL: &[&About] = &[
    &ae_rejects::ABOUT,
    &arp_spoof::ABOUT,
    &backdoor::ABOUT,
    &beacon::ABOUT,
    &brute_force::ABOUT,
    &clear_text::ABOUT,
    &device_access::ABOUT,
    &dhcp_starvation::ABOUT,
    &dns_tunnel::ABOUT,
    &echo_sweep::ABOUT,
    &exfiltration::ABOUT,
    &fan_out::ABOUT,
    &first_outside::ABOUT,
    &flood::ABOUT,
    &hl7_replay::ABOUT,
    &hl7_sender::ABOUT,
    &icmp_tunnel::ABOUT,
    &mac_flood::ABOUT,
    &mass_find::ABOUT,
    &move_destination::ABOUT,
    &nak_burst::ABOUT,
    &nd_spoof::ABOUT,
    &new_answerer::ABOUT,
    &new_puller::ABOUT,
    &new_service::ABOUT,
    &off_hours::ABOUT,
    &probe::ABOUT,
    &redirect::ABOUT,
    &rogue_dhcp::ABOUT,
    &rogue_ra::ABOUT,
    &scan::ABOUT,
    &share_rewrite::ABOUT,
    &slow_requests::ABOUT,
    &strange_flows::ABOUT,
    &study_exfiltration::ABOUT,
    &sweep::ABOUT,
    &time_skew::ABOUT,
    &unknown_modality::ABOUT,
    &unusual_amount::ABOUT,
    &unusual_behaviour::ABOUT,
    &way_out::ABOUT,
];
