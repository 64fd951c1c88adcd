//! The rules by which a device's role follows from what it does, each with its reason.
//!
//! What a device did is kept as [`Activities`], which only grow; a role follows from them alone, so that it can
//! become better founded and does not go back and forth. The surest rule counts; of two that are as sure, the one
//! that stands first.

use std::borrow::Cow;

use sensor_facts::time::Time;

use super::{
    activity::{Activities, Activity},
    report::Service,
    role::{Role, RoleReport},
};

/// What else a role follows from.
pub(super) struct Traits<'a> {
    pub(super) services: &'a [Service],
    pub(super) vendor: Option<&'a str>,
    /// Connections that it opened, and that others opened to it.
    pub(super) opened: u64,
    pub(super) accepted: u64,
    pub(super) uses: usize,
    pub(super) first: Time,
}

/// A rule: the role, how sure it is, by which activities, and other reasons.
struct Match {
    role: Role,
    detail: Option<&'static str>,
    confidence: f64,
    activities: Vec<Activity>,
    other: Vec<String>,
}

fn by(role: Role, confidence: f64, activities: &[Activity]) -> Match {
    Match {
        role,
        detail: None,
        confidence,
        activities: activities.to_vec(),
        other: Vec::new(),
    }
}

const SENDS: [Activity; 3] = [
    Activity::SendsAdmissions,
    Activity::SendsResults,
    Activity::SendsOrders,
];
const TAKES: [Activity; 3] = [
    Activity::TakesAdmissions,
    Activity::TakesResults,
    Activity::TakesOrders,
];

/// The role that follows from all of it.
pub(super) fn role(activities: &Activities, traits: &Traits<'_>) -> RoleReport {
    let rules = [imaging, messaging, devices, network, services, person];
    let mut best: Option<Match> = None;
    for found in rules.iter().filter_map(|rule| rule(activities, traits)) {
        if best
            .as_ref()
            .is_none_or(|best| found.confidence > best.confidence)
        {
            best = Some(found);
        }
    }
    let Some(best) = best else {
        return RoleReport::default();
    };
    let since = best
        .activities
        .iter()
        .filter_map(|activity| activities.first(*activity));
    let since = since.min().unwrap_or(traits.first);
    let reasons = best
        .activities
        .iter()
        .filter_map(|activity| activities.reason(*activity));
    RoleReport {
        role: best.role,
        detail: best.detail.map(Cow::Borrowed),
        confidence: best.confidence,
        since: Some(since),
        reasons: reasons.chain(best.other).collect(),
    }
}

/// DICOM: who keeps images, who makes them, who looks at them.
fn imaging(activities: &Activities, _: &Traits<'_>) -> Option<Match> {
    use Activity::{
        AnswersPulls, AnswersQueries, AsksWorklist, OffersWorklist, Pulls, Queries,
        ReportsProcedures, StoresImages, TakesImages, TakesProcedures,
    };
    let gives = activities.has(AnswersQueries) || activities.has(AnswersPulls);
    Some(if activities.has(TakesImages) && gives {
        by(
            Role::Archive,
            0.95,
            &[TakesImages, AnswersQueries, AnswersPulls],
        )
    } else if activities.has(OffersWorklist) {
        by(Role::Worklist, 0.9, &[OffersWorklist, TakesProcedures])
    } else if gives {
        by(Role::Archive, 0.8, &[AnswersQueries, AnswersPulls])
    } else if activities.has(StoresImages)
        && (activities.has(AsksWorklist) || activities.has(ReportsProcedures))
    {
        by(
            Role::Modality,
            0.95,
            &[StoresImages, AsksWorklist, ReportsProcedures],
        )
    } else if activities.has(Pulls) {
        by(Role::Workstation, 0.9, &[Queries, Pulls, TakesImages])
    } else if activities.has(StoresImages)
        && !activities.has(TakesImages)
        && !activities.has(Queries)
    {
        by(Role::Modality, 0.8, &[StoresImages])
    } else if activities.has(AsksWorklist) {
        by(Role::Modality, 0.7, &[AsksWorklist])
    } else if activities.has(Queries) {
        by(Role::Workstation, 0.7, &[Queries, TakesImages])
    } else if activities.has(TakesImages) {
        by(Role::Archive, 0.6, &[TakesImages])
    } else {
        return None;
    })
}

/// HL7: who passes on, who keeps.
fn messaging(activities: &Activities, _: &Traits<'_>) -> Option<Match> {
    let (sends, takes) = (activities.count(&SENDS), activities.count(&TAKES));
    let both = [SENDS, TAKES].concat();
    Some(if sends > 0 && takes > 0 && activities.count(&both) > 2 {
        by(Role::InterfaceEngine, 0.9, &both)
    } else if sends >= 2 {
        // Admissions and results come from two kinds of systems; who sends both passes them on.
        by(Role::InterfaceEngine, 0.8, &SENDS)
    } else if takes >= 2 {
        by(Role::HealthRecord, 0.8, &TAKES)
    } else if takes > 0 && sends > 0 {
        by(Role::InterfaceEngine, 0.6, &both)
    } else if takes > 0 {
        by(Role::HealthRecord, 0.6, &TAKES)
    } else if activities.has(Activity::SendsAdmissions) {
        by(Role::HealthRecord, 0.6, &[Activity::SendsAdmissions])
    } else if sends > 0 {
        Match {
            detail: Some("department system"),
            ..by(Role::Server, 0.6, &SENDS)
        }
    } else {
        return None;
    })
}

/// Makers of infusion pumps and of patient monitors, as the register of Ethernet addresses names them, in small
/// letters. Some make other things too, so this alone is a weak sign.
const PUMP_MAKERS: [&str; 10] = [
    "alaris",
    "b. braun",
    "b.braun",
    "baxter",
    "carefusion",
    "fresenius kabi",
    "fresenius-vial",
    "hospira",
    "icu medical",
    "smiths medical",
];
const MONITOR_MAKERS: [&str; 6] = [
    "philips medical",
    "philips patient monitoring",
    "draeger",
    "dräger",
    "mindray",
    "nihon kohden",
];

/// Bedside devices and what speaks for them (IHE PCD technical framework).
fn devices(activities: &Activities, traits: &Traits<'_>) -> Option<Match> {
    use Activity::{SendsAlarms, SendsDeviceData, TakesInfusions};
    if activities.has(TakesInfusions) {
        return Some(by(
            Role::PumpGateway,
            0.9,
            &[TakesInfusions, SendsDeviceData, SendsAlarms],
        ));
    }
    if activities.has(SendsAlarms) || activities.has(SendsDeviceData) {
        return Some(by(
            Role::MonitorGateway,
            0.85,
            &[SendsAlarms, SendsDeviceData],
        ));
    }
    let vendor = traits.vendor?;
    let low = vendor.to_lowercase();
    let made = |makers: &[&str]| makers.iter().any(|maker| low.contains(maker));
    let role = if made(&PUMP_MAKERS) {
        Role::InfusionPump
    } else if made(&MONITOR_MAKERS) {
        Role::PatientMonitor
    } else {
        return None;
    };
    Some(Match {
        other: vec![format!("its Ethernet address is of {vendor}")],
        ..by(role, 0.4, &[])
    })
}

/// Routers and what has their Ethernet address.
fn network(activities: &Activities, _: &Traits<'_>) -> Option<Match> {
    activities
        .has(Activity::Routes)
        .then(|| by(Role::NetworkDevice, 0.75, &[Activity::Routes]))
}

/// Printing: `JetDirect`, LPD, IPP.
const PRINTING: [u16; 3] = [9_100, 515, 631];
/// Services that say what a server is for; the first that is offered counts.
const SERVERS: [(&str, &str, &[u16]); 8] = [
    ("TCP", "directory", &[389, 636, 88]),
    ("UDP", "address assignment", &[67]),
    ("UDP", "names", &[53]),
    ("TCP", "database", &[1_433, 1_521, 3_306, 5_432]),
    ("TCP", "mail", &[25, 587, 993, 143]),
    ("TCP", "files", &[445, 2_049]),
    ("TCP", "web", &[443, 80, 8_080, 8_443]),
    ("UDP", "time", &[123]),
];

/// What is offered to others.
fn services(_: &Activities, traits: &Traits<'_>) -> Option<Match> {
    let offered = |proto: &str, ports: &[u16]| {
        let mut services = traits.services.iter();
        services
            .find(|service| service.proto == proto && ports.contains(&service.port))
            .map(|service| format!("offers {}/{}", service.port, service.proto))
    };
    if let Some(reason) = offered("TCP", &PRINTING) {
        return Some(Match {
            other: vec![reason],
            ..by(Role::Printer, 0.8, &[])
        });
    }
    // Workstations share files too; a server is asked more than it asks.
    if traits.opened > traits.accepted {
        return None;
    }
    SERVERS.iter().find_map(|(proto, detail, ports)| {
        Some(Match {
            detail: Some(detail),
            other: vec![offered(proto, ports)?],
            ..by(Role::Server, 0.55, &[])
        })
    })
}

/// Services that a device with a person before it has used at least.
const USES_MIN: usize = 3;

/// A device that only asks.
fn person(_: &Activities, traits: &Traits<'_>) -> Option<Match> {
    (traits.services.is_empty() && traits.uses >= USES_MIN).then(|| Match {
        other: vec![format!("uses {} services and offers none", traits.uses)],
        ..by(Role::Workstation, 0.4, &[])
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const NONE: Traits<'_> = Traits {
        services: &[],
        vendor: None,
        opened: 0,
        accepted: 0,
        uses: 0,
        first: Time(0),
    };

    fn role_of(activities: &[Activity], traits: &Traits<'_>) -> RoleReport {
        let mut all = Activities::default();
        for activity in activities {
            all.add(
                *activity,
                IpAddr::from([10, 0, 0, 9]),
                Some("CT_ROOM_1"),
                Time(0),
            );
        }
        role(&all, traits)
    }

    #[test]
    fn roles_follow_from_deeds() {
        use Activity::*;
        for (activities, role) in [
            (&[][..], Role::Unknown),
            (&[StoresImages], Role::Modality),
            (&[StoresImages, AsksWorklist, Pulls], Role::Modality),
            (&[TakesImages, AnswersQueries, StoresImages], Role::Archive),
            // A gateway takes, gives on and fetches, and is still where images are kept.
            (&[TakesImages, AnswersPulls, Pulls, Queries], Role::Archive),
            (&[Queries, Pulls, TakesImages], Role::Workstation),
            (&[OffersWorklist, TakesAdmissions], Role::Worklist),
            (&[SendsAdmissions, SendsResults], Role::InterfaceEngine),
            (
                &[TakesAdmissions, SendsAdmissions, SendsOrders],
                Role::InterfaceEngine,
            ),
            (&[TakesAdmissions, TakesResults], Role::HealthRecord),
            (&[SendsResults], Role::Server),
            (&[SendsResults, SendsAlarms], Role::MonitorGateway),
            (
                &[SendsDeviceData, TakesInfusions, SendsResults],
                Role::PumpGateway,
            ),
            (&[Routes], Role::NetworkDevice),
        ] {
            assert_eq!(role_of(activities, &NONE).role, role, "{activities:?}");
        }
    }

    #[test]
    fn reasons_are_in_words() {
        let found = role_of(&[Activity::StoresImages], &NONE);
        assert_eq!(
            found.reasons,
            ["sends C-STORE to 10.0.0.9 as CT_ROOM_1 since 1970-01-01T00:00:00.000000Z"]
        );
        assert_eq!(found.since, Some(Time(0)));
    }

    #[test]
    fn services_and_makers_tell_where_deeds_do_not() {
        let service = |proto: &'static str, port| Service {
            proto: proto.into(),
            port,
            app_proto: None,
        };
        let of = |services: &[Service], opened, uses| {
            role_of(
                &[],
                &Traits {
                    services,
                    opened,
                    uses,
                    accepted: 5,
                    ..NONE
                },
            )
        };
        assert_eq!(of(&[service("TCP", 9_100)], 9, 0).role, Role::Printer);
        let server = of(&[service("TCP", 443), service("TCP", 389)], 0, 0);
        assert_eq!(
            (server.role, server.detail.as_deref()),
            (Role::Server, Some("directory"))
        );
        assert_eq!(of(&[service("TCP", 445)], 9, 9).role, Role::Unknown);
        assert_eq!(of(&[], 9, 9).role, Role::Workstation);
        let pump = Traits {
            vendor: Some("B. Braun Melsungen AG"),
            ..NONE
        };
        assert_eq!(role_of(&[], &pump).role, Role::InfusionPump);
        assert_eq!(
            role_of(&[Activity::TakesImages, Activity::AnswersQueries], &pump).role,
            Role::Archive
        );
    }
}
