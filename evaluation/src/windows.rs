//! Five-minute windows of each device of a simulated hospital, labelled with the attacks: training data for models.

use std::{io::Write as _, net::IpAddr, path::Path};

use anyhow::Context;
use sensor_analysis::{
    baseline::Baselines,
    behaviour::{Behaviour, Judged, MEASURES, Measure},
    config::Baseline,
};
use sensor_facts::{
    observation::{Observation, is_public},
    time::Time,
};

use crate::{export::create, run::Sensor, traffic::Traffic, truth::Truth};

/// Devices that are told apart.
const DEVICES: u32 = 65_536;
/// A window may be over so long after its last packet, nanoseconds: a flow is reported when it was idle.
const LATE: i64 = 300_000_000_000;

/// Devices and their windows, as the analysis makes them of observations.
struct Watch {
    baselines: Baselines,
    behaviour: Behaviour,
}

impl Watch {
    fn see(&mut self, seen: &Observation, on: &mut impl FnMut(&Judged)) {
        self.close(seen.time, on);
        let delta = self.baselines.delta(seen);
        self.behaviour.observe(seen, delta, is_public);
    }

    fn close(&mut self, now: Time, on: &mut impl FnMut(&Judged)) {
        for device in self.behaviour.due(now, usize::MAX) {
            if let Some(judged) = self.behaviour.close(device) {
                on(&judged);
            }
        }
    }
}

/// Writes a line for each window of a device: when it began, seconds since 1970; the device; 1 if it counts; the attack
/// that the device did in it, and the one that it suffered; then of each measure the value, the surprise, and the surprise
/// without the crowd.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn write(traffic: &mut dyn Traffic, path: &Path) -> anyhow::Result<u64> {
    let mut out = create(path)?;
    let truth = traffic.truth().clone();
    let names: Vec<String> = Measure::ALL
        .iter()
        .flat_map(|measure| ["", "_raw", "_surprise"].map(|kind| format!("{}{kind}", measure.id())))
        .collect();
    let mut result = writeln!(
        out,
        "begin,device,counts,does,suffers,windows,{}",
        names.join(",")
    );
    let mut rows = 0;
    let mut on = |judged: &Judged| {
        if result.is_ok() {
            rows += 1;
            result = writeln!(out, "{}", row(judged, &truth));
        }
    };
    let mut watch = Watch {
        baselines: Baselines::new(Baseline::default()),
        behaviour: Behaviour::new(DEVICES),
    };
    Sensor::default().watch(traffic, &mut |seen| watch.see(seen, &mut on));
    watch.close(Time(i64::MAX), &mut on);
    result
        .and_then(|()| out.flush())
        .with_context(|| format!("can't write {}", path.display()))?;
    Ok(rows)
}

fn row(judged: &Judged, truth: &Truth) -> String {
    let (does, suffers) = labels(judged.device, judged.begin, truth);
    let mut cells = vec![[0.0; 3]; MEASURES];
    for one in &judged.surprises {
        #[expect(clippy::cast_precision_loss, reason = "for training")]
        let value = one.value as f64;
        cells[one.measure as usize] = [value, one.raw, one.discounted];
    }
    let cells: Vec<String> = cells
        .iter()
        .flatten()
        .map(|cell| format!("{cell:.3}"))
        .collect();
    format!(
        "{},{},{},{does},{suffers},{},{}",
        judged.begin.0 / 1_000_000_000,
        judged.device,
        u8::from(judged.begin >= truth.counts_from),
        judged.windows,
        cells.join(",").replace(".000", ""),
    )
}

/// The attacks that a device did and suffered in a window, as class and number.
fn labels(device: IpAddr, begin: Time, truth: &Truth) -> (String, String) {
    let end = begin.0 + LATE;
    let find = |who: fn(&crate::truth::Episode) -> &Vec<IpAddr>| {
        let mut all = truth.episodes.iter().enumerate();
        let found = all.find(|(_, one)| {
            who(one).contains(&device) && one.begin.0 < end && one.end.0 + LATE >= begin.0
        });
        found.map_or_else(String::new, |(number, one)| {
            format!("{}#{number}", one.class)
        })
    };
    (find(|one| &one.suspects), find(|one| &one.victims))
}
