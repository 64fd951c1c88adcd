//! All attacks, in the order in which they are staged.

use super::{
    Attack, ae_brute_force, arp_spoof, beacon, dns_tunnel, echo_sweep, exfiltration, hl7_injection,
    hl7_replay, host_sweep, lateral_smb, login_brute_force, mass_find, move_theft, nak_burst,
    new_service, off_hours, port_scan, study_exfiltration, syn_flood, time_skew, unknown_modality,
};

/// All of them.
pub(crate) fn all() -> Vec<Box<dyn Attack>> {
    vec![
        Box::new(port_scan::PortScan),
        Box::new(host_sweep::HostSweep),
        Box::new(login_brute_force::LoginBruteForce::Ssh),
        Box::new(login_brute_force::LoginBruteForce::Rdp),
        Box::new(ae_brute_force::AeBruteForce),
        Box::new(echo_sweep::EchoSweep),
        Box::new(unknown_modality::UnknownModality),
        Box::new(mass_find::MassFind),
        Box::new(move_theft::MoveTheft),
        Box::new(study_exfiltration::StudyExfiltration),
        Box::new(hl7_injection::Hl7Injection),
        Box::new(hl7_replay::Hl7Replay),
        Box::new(nak_burst::NakBurst),
        Box::new(time_skew::TimeSkew),
        Box::new(lateral_smb::LateralSmb),
        Box::new(beacon::Beacon),
        Box::new(dns_tunnel::DnsTunnel),
        Box::new(exfiltration::Exfiltration),
        Box::new(new_service::NewService),
        Box::new(off_hours::OffHours),
        Box::new(arp_spoof::ArpSpoof),
        Box::new(syn_flood::SynFlood),
    ]
}

/// Attacks of which detectors know nothing: none was written or tuned for them.
fn unseen() -> Vec<Box<dyn Attack>> {
    use super::unseen;
    vec![
        Box::new(unseen::shares::RansomwareOnShares),
        Box::new(unseen::slow_theft::SlowTheft),
        Box::new(unseen::insider::Insider),
        Box::new(unseen::pump_gateway::PumpGateway),
        Box::new(unseen::update_server::UpdateServer),
        Box::new(unseen::dicomweb::DicomwebScraping),
        Box::new(unseen::relay::CredentialRelay),
        Box::new(unseen::miner::Miner),
        Box::new(unseen::printer::PrinterPivot),
    ]
}

/// Attacks on the model itself: many at once, and slowly.
fn abuse() -> Vec<Box<dyn Attack>> {
    use super::abuse;
    vec![
        Box::new(abuse::crowd::TwentyAtOnce),
        Box::new(abuse::worm::Worm),
        Box::new(abuse::patient::GrowingTheft),
        Box::new(abuse::early::EarlyIntruder),
    ]
}

/// Which attacks a hospital suffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Cases {
    /// Those that detectors were written for.
    Usual,
    /// Those that none was written for.
    Unseen,
    /// Those that turn on what the model forgives: what many do, and what comes slowly.
    Abuse,
}

impl Cases {
    pub(super) fn attacks(self) -> Vec<Box<dyn Attack>> {
        match self {
            Self::Usual => all(),
            Self::Unseen => unseen(),
            Self::Abuse => abuse(),
        }
    }
}

/// The classes of all attacks.
#[must_use]
pub fn classes() -> Vec<&'static str> {
    all().iter().map(|one| one.class()).collect()
}
