//! The detectors, a file each, named by the detector's id.
//!
//! Whoever adds one adds its module and its `ABOUT` here; everything else is made from what the file declares.

mod ae_rejects;
mod arp_spoof;
mod beacon;
mod brute_force;
mod clear_text;
mod dhcp_starvation;
mod dns_tunnel;
mod echo_sweep;
mod exfiltration;
mod fan_out;
mod flood;
mod hl7_replay;
mod hl7_sender;
mod mass_find;
mod move_destination;
mod nak_burst;
mod nd_spoof;
mod new_puller;
mod new_service;
mod off_hours;
mod probe;
mod rogue_dhcp;
mod rogue_ra;
mod scan;
mod strange_flows;
mod study_exfiltration;
mod sweep;
mod time_skew;
mod unknown_modality;
mod unusual_amount;

use super::about::About;

/// All detectors, in the order in which they are asked.
pub static ALL: &[&About] = &[
    &scan::ABOUT,
    &sweep::ABOUT,
    &probe::ABOUT,
    &brute_force::ABOUT,
    &ae_rejects::ABOUT,
    &echo_sweep::ABOUT,
    &unknown_modality::ABOUT,
    &new_puller::ABOUT,
    &mass_find::ABOUT,
    &study_exfiltration::ABOUT,
    &move_destination::ABOUT,
    &hl7_sender::ABOUT,
    &hl7_replay::ABOUT,
    &nak_burst::ABOUT,
    &time_skew::ABOUT,
    &fan_out::ABOUT,
    &beacon::ABOUT,
    &dns_tunnel::ABOUT,
    &exfiltration::ABOUT,
    &new_service::ABOUT,
    &off_hours::ABOUT,
    &arp_spoof::ABOUT,
    &nd_spoof::ABOUT,
    &rogue_ra::ABOUT,
    &rogue_dhcp::ABOUT,
    &dhcp_starvation::ABOUT,
    &flood::ABOUT,
    &clear_text::ABOUT,
    &unusual_amount::ABOUT,
    &strange_flows::ABOUT,
];
