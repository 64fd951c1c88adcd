//! DICOM associations: what an application asks of another, and what it is answered.

use super::{
    site::Node,
    world::{Id, World},
};
use crate::wire::{
    burst::{Burst, MILLI, SECOND},
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
        (client, calling): (Id, &Application),
        to: &Node,
        contexts: &[&str],
    ) -> Self {
        let called = &to.application.title;
        let (mut tcp, mut burst) = request(w, d, time, (client, calling), (to, called), contexts);
        burst.wait(d.range(2, 30) * MILLI);
        let accept = dicom::accept(&to.application, &calling.title, contexts.len());
        tcp.send(&mut burst, Side::Server, &accept);
        Self { tcp, burst, id: 0 }
    }

    /// A node sends another images of about `bytes` each in an association of their own; when it ended.
    pub(crate) fn deliver(
        w: &mut World,
        d: &mut Dice,
        time: u64,
        (from, to): (&Node, &Node),
        (class, images, bytes): (&str, u64, u64),
    ) -> u64 {
        let calling = (from.host, &from.application);
        let mut it = Self::open(w, d, time, calling, to, &[class]);
        it.store(d, class, images, bytes);
        it.release(w)
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

    /// Asks by C-ECHO, and is answered.
    pub(crate) fn echo(&mut self, d: &mut Dice) {
        let ask = self.ask(1, dicom::C_ECHO, dicom::ECHO);
        self.tcp.send(&mut self.burst, Side::Client, &ask.bytes());
        self.burst.wait(d.range(1, 8) * MILLI);
        let answer = ask.answer(dicom::SUCCESS, false, None);
        self.tcp.send(&mut self.burst, Side::Server, &answer);
    }

    /// Sends images of about `bytes` each by C-STORE.
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

/// Connects to a node, and asks for an association with the application of the title `called`.
fn request(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    (client, calling): (Id, &Application),
    (to, called): (&Node, &str),
    contexts: &[&str],
) -> (Tcp, Burst) {
    let (mut tcp, mut burst) = w.tcp(d, time, client, to.host, to.port);
    tcp.open(&mut burst);
    let request = dicom::request(called, calling, contexts);
    tcp.send(&mut burst, Side::Client, &request);
    (tcp, burst)
}

/// An association that is rejected.
pub(crate) fn rejected(
    w: &mut World,
    d: &mut Dice,
    time: u64,
    (client, calling): (Id, &Application),
    to: &Node,
    (called, reason): (&str, u8),
) {
    let contexts = [dicom::ECHO, dicom::FIND];
    let (mut tcp, mut burst) = request(w, d, time, (client, calling), (to, called), &contexts);
    burst.wait(d.range(1, 10) * MILLI);
    tcp.send(&mut burst, Side::Server, &dicom::reject(reason));
    tcp.close(&mut burst, Side::Client);
    w.play(burst);
}
