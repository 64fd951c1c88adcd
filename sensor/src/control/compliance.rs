//! The socket's answer that is the compliance report. What it is made of is gathered here, on a thread that may wait.

use axum::{
    Extension, Json, Router,
    extract::{Query as Params, State},
    response::{IntoResponse, Response},
    routing::get,
};
use sensor_evidence::{
    report::compliance::{Compliance, Counted, Facts, Trail, report},
    store::{Reader, StoreError},
};
use sensor_facts::{alert::Alert, contact::Contact, time::Time};

use super::{
    answer::Failed,
    api::{COMPLIANCE, Past},
    evidence::{Given, blocking},
    exposure::{Ranking, SiteFacts},
};

/// Counters are read from the store for so long at once: they are many.
const PART: i64 = 6 * 3_600 * 1_000_000_000;

pub(super) fn router(ranking: Ranking) -> Router {
    Router::new()
        .route(COMPLIANCE, get(compliance))
        .with_state(ranking)
}

async fn compliance(
    State(ranking): State<Ranking>,
    Params(past): Params<Past>,
) -> Result<Response, Failed> {
    let seen = ranking.seen().await?;
    let (now, options) = ranking
        .capture()
        .ask(|capture| {
            (
                capture.snapshot().stats(),
                capture.options().pipeline.clone(),
            )
        })
        .await?;
    let mut made = blocking(move || {
        let (since, until) = (seen.now.before(past.since), seen.now.before(past.until));
        if since >= until {
            return Err(Failed::refused(&"the time that the report is about ends before it begins"));
        }
        let mut stored = Stored::read(&seen, since, until);
        if past.until == 0 {
            stored.counted.add(seen.now, now);
        }
        let trail = Trail::read(&seen.folder, since, until);
        if trail.omitted > 0 {
            stored.missing.push(format!(
                "the first {} entries of the trail within the time are left out, being too many; `wardtap audit show` has them",
                trail.omitted
            ));
        }
        Ok(report(Facts {
            time: seen.now,
            since,
            until,
            version: env!("CARGO_PKG_VERSION"),
            trail: &trail,
            counted: &stored.counted,
            hosts: &seen.hosts,
            contacts: &stored.contacts,
            alerts: &stored.alerts,
            exposure: &ranking.rank(&seen),
            site: &seen.site,
            ports: &options,
            missing: &stored.missing,
        }))
    })
    .await??;
    made.pseudonymised = past.pseudonymise;
    let given = Given {
        what: format!("the compliance report of the time since {}", made.since),
        items: 1,
        pseudonymised: past.pseudonymise,
    };
    Ok((Extension(given), Json::<Compliance>(made)).into_response())
}

/// True for two states of one alert. Numbers can begin anew, so the times have to meet; events have microseconds only.
fn is_same(stored: &Alert, alert: &Alert) -> bool {
    let micros = |time: Time| time.0.div_euclid(1_000);
    stored.id == alert.id
        && stored.device == alert.device
        && micros(stored.opened) <= micros(alert.updated)
        && micros(alert.opened) <= micros(stored.updated)
}

/// What the store knows, and what the memory of the daemon adds to it.
#[derive(Default)]
struct Stored {
    contacts: Vec<Contact>,
    alerts: Vec<Alert>,
    counted: Counted,
    missing: Vec<String>,
}

impl Stored {
    fn read(seen: &SiteFacts, since: Time, until: Time) -> Self {
        let mut this = Self::default();
        let read = Reader::open(&seen.folder).and_then(|reader| this.take(&reader, since, until));
        if let Err(error) = read {
            this.missing.push(format!(
                "counters of earlier runs, contacts with their bytes, and alerts that the daemon has forgotten: the store can't be read ({error})"
            ));
        }
        // What the daemon has in memory is newer.
        for alert in seen
            .alerts
            .iter()
            .filter(|one| (since..until).contains(&one.opened))
        {
            match this.alerts.iter_mut().find(|one| is_same(one, alert)) {
                Some(known) => *known = alert.clone(),
                None => this.alerts.push(alert.clone()),
            }
        }
        this.alerts.sort_by_key(|one| (one.opened, one.id));
        this
    }

    fn take(&mut self, reader: &Reader, since: Time, until: Time) -> Result<(), StoreError> {
        self.alerts = reader.alerts(since..until)?;
        self.contacts = reader.contacts(since..until)?;
        let mut from = since;
        while from < until {
            let to = Time(from.0.saturating_add(PART)).min(until);
            for (time, counters) in reader.statistics(from..to)? {
                self.counted.add(time, counters);
            }
            from = to;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use sensor_facts::finding::AttackRole;

    use super::*;

    #[test]
    fn an_alert_of_the_store_is_the_one_in_memory() {
        let device = Ipv4Addr::new(10, 1, 4, 66).into();
        let exact = Alert {
            updated: Time(2_000_000_999),
            ..Alert::new(7, device, AttackRole::Suspect, Time(1_000_000_999))
        };
        let stored = Alert {
            opened: Time(1_000_000_000),
            updated: Time(2_000_000_000),
            ..exact.clone()
        };
        assert!(is_same(&stored, &exact));
        let later = Alert {
            opened: Time(3_000_000_000),
            updated: Time(3_000_000_000),
            ..exact.clone()
        };
        assert!(!is_same(&stored, &later), "numbers began anew");
        let other = Alert { id: 8, ..exact };
        assert!(!is_same(&stored, &other));
    }
}
