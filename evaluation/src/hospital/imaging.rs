//! Images: from modalities to archives, from archives to who reads them.

use super::{
    association::{Association, rejected},
    rhythm::Rhythm,
    site::{Modality, Node, Site},
    world::World,
};
use crate::wire::{
    burst::{HOUR, MILLI, MINUTE, SECOND},
    dice::Dice,
    dicom,
};

/// Everyone who makes, keeps or reads images.
pub(crate) fn live(w: &mut World, site: &Site, from: u64) {
    for nth in 0..site.modalities.len() {
        produce(w, site, &site.modalities[nth], nth, from);
    }
    for (nth, reader) in site.reading.iter().enumerate() {
        read(w, site, reader, nth, from);
    }
    // The archives ask each other whether they are there, and so does the watch.
    for (a, b) in [(0, 2), (1, 2), (0, 1)] {
        let (one, other) = (site.archives[a].clone(), site.archives[b].clone());
        w.routine(one.host * 8 + b, from)
            .steady("archive echo", 30 * MINUTE, move |w, d, t| {
                let mut it = Association::open(
                    w,
                    d,
                    t,
                    (one.host, &one.application),
                    &other,
                    &[dicom::ECHO],
                );
                it.echo(d);
                it.release(w);
            });
    }
}

/// What a modality does: it asks for its worklist, makes studies and sends them to an archive.
pub(crate) fn produce(w: &mut World, site: &Site, it: &Modality, nth: usize, from: u64) {
    let archive =
        site.archives[usize::from(it.class == dicom::US && nth.is_multiple_of(2))].clone();
    let (vna, ris) = (site.archives[2].clone(), site.ris.clone());
    let reader = site.reading[nth % site.reading.len()].clone();
    let me = it.clone();
    let worklist = ris.clone();
    w.routine(it.host, from)
        .every("worklist", Rhythm::Imaging, 9 * MINUTE, move |w, d, t| {
            let to = &worklist;
            if d.chance(0.004) {
                // Someone typed it anew.
                rejected(w, d, t, (me.host, &me.application), to, ("RIS_WLM", 7));
            }
            let mut it = Association::open(
                w,
                d,
                t + SECOND,
                (me.host, &me.application),
                to,
                &[dicom::WORKLIST],
            );
            let results = d.range(2, 18);
            it.find(d, 1, dicom::WORKLIST, results);
            it.release(w);
        });
    studies(w, it, nth, (archive, vna, ris, reader), from);
}

/// What a modality makes, where it goes, and where that sends it.
fn studies(
    w: &mut World,
    it: &Modality,
    nth: usize,
    (archive, vna, ris, reader): (Node, Node, Node, Node),
    from: u64,
) {
    let me = it.clone();
    let pace = it.pace * MINUTE;
    // One device of the house has a bad cable.
    let flaky = nth == 2;
    w.routine(it.host, from)
        .every("study", Rhythm::Imaging, pace, move |w, d, t| {
            let images = d.spread(me.images.0, 0.5).clamp(1, 900);
            let mut mpps =
                Association::open(w, d, t, (me.host, &me.application), &ris, &[dicom::MPPS]);
            mpps.normalized(d, 1, dicom::N_CREATE, dicom::MPPS);
            mpps.burst.wait(d.range(2, 9) * SECOND);
            mpps.normalized(d, 1, dicom::N_SET, dicom::MPPS);
            let sent = mpps.release(w);
            let mut start = sent + d.range(5, 60) * SECOND;
            let contexts = [me.class, dicom::ECHO];
            if flaky && d.chance(0.25) {
                let mut it =
                    Association::open(w, d, start, (me.host, &me.application), &archive, &contexts);
                it.tcp.lossy = 12;
                it.store(d, me.class, (images / 3).max(1), me.images.1);
                it.abort(w);
                start += d.range(60, 200) * SECOND;
            }
            let mut it =
                Association::open(w, d, start, (me.host, &me.application), &archive, &contexts);
            it.store(d, me.class, images, me.images.1);
            let end = it.release(w);
            let later = Dice::new(d.number(), 1);
            let (me, archive, vna, reader) =
                (me.clone(), archive.clone(), vna.clone(), reader.clone());
            w.once(end + d.range(2, 20) * SECOND, later, move |w, d, t| {
                let contexts = [dicom::COMMITMENT];
                let mut it =
                    Association::open(w, d, t, (me.host, &me.application), &archive, &contexts);
                it.normalized(d, 1, dicom::N_ACTION, dicom::COMMITMENT);
                it.release(w);
                let then = Dice::new(d.number(), 2);
                w.once(t + d.range(2, 12) * MINUTE, then, move |w, d, t| {
                    let study = (me.class, images, me.images.1);
                    let end = Association::deliver(w, d, t, (&archive, &vna), study);
                    if d.chance(0.3) {
                        // To the one who reads most of these.
                        let start = end + 5 * SECOND;
                        Association::deliver(w, d, start, (&archive, &reader), study);
                    }
                });
            });
        });
}

/// A reader's days: looks for studies, and has some of them sent to itself.
fn read(w: &mut World, site: &Site, it: &Node, nth: usize, from: u64) {
    let me = it.clone();
    // Some of the studies are in the archive of cardiology.
    let archives = site.archives.clone();
    let classes: Vec<_> = site
        .modalities
        .iter()
        .map(|one| (one.class, one.images))
        .collect();
    let mean = 14 * MINUTE + 2 * MINUTE * nth as u64;
    w.routine(it.host, from)
        .every("reading", Rhythm::Imaging, mean, move |w, d, t| {
            let archive = archives[d.weighted(&[(8, 0), (2, 1), (1, 2)]).to_owned()].clone();
            let contexts = [dicom::FIND, dicom::MOVE];
            let mut it =
                Association::open(w, d, t, (me.host, &me.application), &archive, &contexts);
            for _ in 0..d.range(1, 4) {
                let results = d.spread(6, 0.9).min(200);
                it.find(d, 1, dicom::FIND, results);
                it.burst.wait(d.range(1, 12) * SECOND);
            }
            if !d.chance(0.55) {
                it.release(w);
                return;
            }
            let (class, (images, bytes)) = *d.pick(&classes);
            let images = d.spread(images, 0.5).clamp(1, 600);
            let length = images * (bytes * 9 + 14 * MILLI);
            let count = u16::try_from(images).unwrap_or(0);
            let begin = it.move_to(d, 3, &me.application.title, count, length);
            it.release(w);
            Association::deliver(w, d, begin, (&archive, &me), (class, images, bytes));
        });
    let (me, main) = (it.clone(), site.archives[0].clone());
    w.routine(it.host, from)
        .every("reader echo", Rhythm::Office, 6 * HOUR, move |w, d, t| {
            let mut it =
                Association::open(w, d, t, (me.host, &me.application), &main, &[dicom::ECHO]);
            it.echo(d);
            it.release(w);
        });
}
