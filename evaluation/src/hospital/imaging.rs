//! Images: from modalities to archives, from archives to who reads them.

use super::{
    rhythm::Rhythm,
    site::{Modality, Node, Site},
    world::{Id, World},
};
use crate::wire::{
    burst::{Burst, HOUR, MILLI, MINUTE, SECOND},
    dice::Dice,
    dicom::{self, Application, Ask},
    tcp::{Side, Tcp},
};

/// An association that was accepted.
pub(crate) struct Association {
    pub(crate) tcp: Tcp,
    pub(crate) burst: Burst,
    id: u16,
}

impl Association {
    /// Opens one from a host to a node, with these contexts.
    pub(crate) fn open(
        w: &mut World,
        d: &mut Dice,
        time: u64,
        client: Id,
        calling: &Application,
        to: &Node,
        contexts: &[&str],
    ) -> Self {
        let (mut tcp, mut burst) = w.tcp(d, time, client, to.host, to.port);
        tcp.open(&mut burst);
        let request = dicom::request(&to.application.title, calling, contexts);
        tcp.send(&mut burst, Side::Client, &request);
        burst.wait(d.range(2, 30) * MILLI);
        let accept = dicom::accept(&to.application, &calling.title, contexts.len());
        tcp.send(&mut burst, Side::Server, &accept);
        Self { tcp, burst, id: 0 }
    }

    fn ask<'a>(&mut self, context: u8, field: u16, class: &'a str) -> Ask<'a> {
        self.id = self.id.wrapping_add(1);
        Ask {
            context,
            field,
            id: self.id,
            class,
            instance: None,
            destination: None,
            data: false,
        }
    }

    /// C-ECHO.
    pub(crate) fn echo(&mut self, d: &mut Dice) {
        let ask = self.ask(1, dicom::C_ECHO, dicom::ECHO);
        self.tcp.send(&mut self.burst, Side::Client, &ask.bytes());
        self.burst.wait(d.range(1, 8) * MILLI);
        let answer = ask.answer(dicom::SUCCESS, false, None);
        self.tcp.send(&mut self.burst, Side::Server, &answer);
    }

    /// C-STORE of images of about `bytes`.
    pub(crate) fn store(&mut self, d: &mut Dice, class: &str, images: u64, bytes: u64) {
        let series = d.below(1 << 40);
        for nth in 0..images {
            let instance = format!("1.2.826.0.1.3680043.8.498.{series}.{nth}");
            let ask = Ask {
                instance: Some(&instance),
                data: true,
                ..self.ask(1, dicom::C_STORE, class)
            };
            self.tcp.send(&mut self.burst, Side::Client, &ask.bytes());
            let length = d.about(bytes, 0.08) & !1;
            dicom::bulk_data(&mut self.tcp, &mut self.burst, Side::Client, 1, length);
            self.burst.wait(d.range(3, 25) * MILLI);
            let answer = ask.answer(dicom::SUCCESS, false, None);
            self.tcp.send(&mut self.burst, Side::Server, &answer);
        }
    }

    /// C-FIND with that many results.
    pub(crate) fn find(&mut self, d: &mut Dice, context: u8, class: &str, results: u64) {
        let ask = Ask {
            data: true,
            ..self.ask(context, dicom::C_FIND, class)
        };
        let mut bytes = ask.bytes();
        bytes.extend_from_slice(&dicom::data(context, 90 + d.index(60) * 2));
        self.tcp.send(&mut self.burst, Side::Client, &bytes);
        self.burst.wait(d.range(5, 60) * MILLI);
        for _ in 0..results {
            let mut answer = ask.answer(dicom::PENDING, true, None);
            answer.extend_from_slice(&dicom::data(context, 220 + d.index(150) * 2));
            self.tcp.send(&mut self.burst, Side::Server, &answer);
        }
        let last = ask.answer(dicom::SUCCESS, false, None);
        self.tcp.send(&mut self.burst, Side::Server, &last);
    }

    /// C-MOVE to a title: from the request on, until the archive said that all is sent, `length` later. Gives
    /// when the archive begins to send.
    pub(crate) fn move_to(
        &mut self,
        d: &mut Dice,
        context: u8,
        destination: &str,
        images: u16,
        length: u64,
    ) -> u64 {
        let ask = Ask {
            destination: Some(destination),
            data: true,
            ..self.ask(context, dicom::C_MOVE, dicom::MOVE)
        };
        let mut bytes = ask.bytes();
        bytes.extend_from_slice(&dicom::data(context, 90));
        self.tcp.send(&mut self.burst, Side::Client, &bytes);
        self.burst.wait(d.range(20, 200) * MILLI);
        let begin = self.burst.now;
        let steps = u16::try_from(length / SECOND).unwrap_or(10).clamp(1, 10);
        for step in 1..=steps {
            self.burst.wait(length / u64::from(steps));
            let done = images * step / steps;
            let pending = ask.answer(dicom::PENDING, false, Some([images - done, done, 0, 0]));
            self.tcp.send(&mut self.burst, Side::Server, &pending);
        }
        let last = ask.answer(dicom::SUCCESS, false, Some([0, images, 0, 0]));
        self.tcp.send(&mut self.burst, Side::Server, &last);
        begin
    }

    /// C-GET: the images come on the same association.
    pub(crate) fn get(
        &mut self,
        d: &mut Dice,
        context: u8,
        store: (u8, &str),
        images: u64,
        bytes: u64,
    ) {
        let ask = Ask {
            data: true,
            ..self.ask(context, dicom::C_GET, dicom::GET)
        };
        let mut request = ask.bytes();
        request.extend_from_slice(&dicom::data(context, 90));
        self.tcp.send(&mut self.burst, Side::Client, &request);
        for nth in 0..images {
            let instance = format!("1.2.826.0.1.3680043.8.499.{}.{nth}", ask.id);
            let sub = Ask {
                context: store.0,
                field: dicom::C_STORE,
                id: u16::try_from(nth).unwrap_or(0),
                class: store.1,
                instance: Some(&instance),
                destination: None,
                data: true,
            };
            self.tcp.send(&mut self.burst, Side::Server, &sub.bytes());
            let length = d.about(bytes, 0.08) & !1;
            dicom::bulk_data(
                &mut self.tcp,
                &mut self.burst,
                Side::Server,
                store.0,
                length,
            );
            let answer = sub.answer(dicom::SUCCESS, false, None);
            self.tcp.send(&mut self.burst, Side::Client, &answer);
        }
        let count = u16::try_from(images).unwrap_or(u16::MAX);
        let last = ask.answer(dicom::SUCCESS, false, Some([0, count, 0, 0]));
        self.tcp.send(&mut self.burst, Side::Server, &last);
    }

    /// An N-service with its answer: N-CREATE, N-SET, N-ACTION.
    pub(crate) fn normalized(&mut self, d: &mut Dice, context: u8, field: u16, class: &str) {
        let ask = Ask {
            data: true,
            ..self.ask(context, field, class)
        };
        let mut bytes = ask.bytes();
        bytes.extend_from_slice(&dicom::data(context, 400 + d.index(200) * 2));
        self.tcp.send(&mut self.burst, Side::Client, &bytes);
        self.burst.wait(d.range(5, 40) * MILLI);
        let answer = ask.answer(dicom::SUCCESS, false, None);
        self.tcp.send(&mut self.burst, Side::Server, &answer);
    }

    /// Releases it and begins it all; gives when it ends.
    pub(crate) fn release(mut self, w: &mut World) -> u64 {
        dicom::release(&mut self.tcp, &mut self.burst);
        let end = self.burst.now;
        w.play(self.burst);
        end
    }

    /// The same with an abort and a reset.
    pub(crate) fn abort(mut self, w: &mut World) {
        self.tcp
            .send(&mut self.burst, Side::Client, &dicom::abort());
        self.tcp.reset(&mut self.burst, Side::Client);
        w.play(self.burst);
    }
}

/// An association that is rejected.
pub(crate) fn rejected(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    client: Id,
    calling: &Application,
    to: &Node,
    called: &str,
    reason: u8,
) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, to.host, to.port);
    tcp.open(&mut burst);
    let contexts = [dicom::ECHO, dicom::FIND];
    tcp.send(
        &mut burst,
        Side::Client,
        &dicom::request(called, calling, &contexts),
    );
    burst.wait(d.range(1, 10) * MILLI);
    tcp.send(&mut burst, Side::Server, &dicom::reject(reason));
    tcp.close(&mut burst, Side::Client);
    w.play(burst);
}

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
        w.steady(
            "archive echo",
            one.host * 8 + b,
            from,
            30 * MINUTE,
            move |w, d, t| {
                let mut it =
                    Association::open(w, d, t, one.host, &one.application, &other, &[dicom::ECHO]);
                it.echo(d);
                it.release(w);
            },
        );
    }
}

/// A modality's days.
pub(crate) fn produce(w: &mut World, site: &Site, it: &Modality, nth: usize, from: u64) {
    let archive = site.archives[usize::from(it.class == dicom::US && nth % 2 == 0)].clone();
    let (vna, ris) = (site.archives[2].clone(), site.ris.clone());
    let reader = site.reading[nth % site.reading.len()].clone();
    let me = it.clone();
    let worklist = ris.clone();
    w.every(
        "worklist",
        it.host,
        from,
        (Rhythm::Imaging, 9 * MINUTE),
        move |w, d, t| {
            let to = &worklist;
            if d.chance(0.004) {
                // Someone typed it anew.
                rejected(w, d, t, me.host, &me.application, to, "RIS_WLM", 7);
            }
            let mut it = Association::open(
                w,
                d,
                t + SECOND,
                me.host,
                &me.application,
                to,
                &[dicom::WORKLIST],
            );
            let results = d.range(2, 18);
            it.find(d, 1, dicom::WORKLIST, results);
            it.release(w);
        },
    );
    let me = it.clone();
    let pace = it.pace * MINUTE;
    // One device of the house has a bad cable.
    let flaky = nth == 2;
    w.every(
        "study",
        it.host,
        from,
        (Rhythm::Imaging, pace),
        move |w, d, t| {
            let images = d.spread(me.images.0, 0.5).clamp(1, 900);
            let mut mpps =
                Association::open(w, d, t, me.host, &me.application, &ris, &[dicom::MPPS]);
            mpps.normalized(d, 1, dicom::N_CREATE, dicom::MPPS);
            mpps.burst.wait(d.range(2, 9) * SECOND);
            mpps.normalized(d, 1, dicom::N_SET, dicom::MPPS);
            let sent = mpps.release(w);
            let mut start = sent + d.range(5, 60) * SECOND;
            let contexts = [me.class, dicom::ECHO];
            if flaky && d.chance(0.25) {
                let mut it =
                    Association::open(w, d, start, me.host, &me.application, &archive, &contexts);
                it.tcp.lossy = 12;
                it.store(d, me.class, (images / 3).max(1), me.images.1);
                it.abort(w);
                start += d.range(60, 200) * SECOND;
            }
            let mut it =
                Association::open(w, d, start, me.host, &me.application, &archive, &contexts);
            it.store(d, me.class, images, me.images.1);
            let end = it.release(w);
            let later = Dice::new(d.number(), 1);
            let (me, archive, vna, reader) =
                (me.clone(), archive.clone(), vna.clone(), reader.clone());
            w.once(end + d.range(2, 20) * SECOND, later, move |w, d, t| {
                let contexts = [dicom::COMMITMENT];
                let mut it =
                    Association::open(w, d, t, me.host, &me.application, &archive, &contexts);
                it.normalized(d, 1, dicom::N_ACTION, dicom::COMMITMENT);
                it.release(w);
                let then = Dice::new(d.number(), 2);
                w.once(t + d.range(2, 12) * MINUTE, then, move |w, d, t| {
                    let contexts = [me.class];
                    let mut it = Association::open(
                        w,
                        d,
                        t,
                        archive.host,
                        &archive.application,
                        &vna,
                        &contexts,
                    );
                    it.store(d, me.class, images, me.images.1);
                    let end = it.release(w);
                    if d.chance(0.3) {
                        // To the one who reads most of these.
                        let start = end + 5 * SECOND;
                        let mut it = Association::open(
                            w,
                            d,
                            start,
                            archive.host,
                            &archive.application,
                            &reader,
                            &contexts,
                        );
                        it.store(d, me.class, images, me.images.1);
                        it.release(w);
                    }
                });
            });
        },
    );
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
    w.every(
        "reading",
        it.host,
        from,
        (Rhythm::Imaging, mean),
        move |w, d, t| {
            let archive = archives[d.weighted(&[(8, 0), (2, 1), (1, 2)]).to_owned()].clone();
            let contexts = [dicom::FIND, dicom::MOVE];
            let mut it = Association::open(w, d, t, me.host, &me.application, &archive, &contexts);
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
            let mut back = Association::open(
                w,
                d,
                begin,
                archive.host,
                &archive.application,
                &me,
                &[class],
            );
            back.store(d, class, images, bytes);
            back.release(w);
        },
    );
    let (me, main) = (it.clone(), site.archives[0].clone());
    w.every(
        "reader echo",
        it.host,
        from,
        (Rhythm::Office, 6 * HOUR),
        move |w, d, t| {
            let mut it =
                Association::open(w, d, t, me.host, &me.application, &main, &[dicom::ECHO]);
            it.echo(d);
            it.release(w);
        },
    );
}
