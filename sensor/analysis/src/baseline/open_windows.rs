//! The 5-minute windows that go on, so that each is judged when it is over.

use std::{collections::VecDeque, net::IpAddr};

/// Windows for each device that is kept: one that goes on, and some of devices that were evicted meanwhile.
const SHARE: usize = 4;

/// Windows by their number since 1970, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct OpenWindows(VecDeque<(i64, IpAddr)>);

impl OpenWindows {
    /// A window of a device begins. Of at most `room` devices something is kept, by `is_kept`: a flood of addresses
    /// opens a window for each, which is of no use once its device was evicted.
    pub(crate) fn push(
        &mut self,
        window: (i64, IpAddr),
        room: usize,
        is_kept: impl Fn(&IpAddr) -> bool,
    ) {
        self.0.push_back(window);
        let most = room.max(1) * SHARE;
        if self.0.len() > most {
            self.0.retain(|(_, address)| is_kept(address));
            // Devices that were evicted and came again have several.
            while self.0.len() > most / 2 {
                self.0.pop_front();
            }
        }
    }

    /// Devices of the windows that are over when window `number` goes on, `limit` at most. Those that begin much later are over too: the
    /// clock was set back since, and they would hold up all that begin from now on.
    pub(crate) fn due(&mut self, number: i64, limit: usize) -> Vec<IpAddr> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some((window, address)) = self.0.front().copied()
            && (window < number || window > number + 1)
        {
            self.0.pop_front();
            due.push(address);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let mut open = OpenWindows::default();
        // A day ahead, and back.
        for window in [(10, host(1)), (298, host(2)), (10, host(3)), (11, host(4))] {
            open.push(window, 100, |_| true);
        }
        assert!(open.due(10, 9).is_empty());
        assert_eq!(open.due(11, 2), [host(1), host(2)], "two at a time");
        assert_eq!(open.due(11, 9), [host(3)]);
        assert_eq!(open.due(12, 9), [host(4)]);
    }

    #[test]
    fn windows_are_bounded_and_those_of_kept_devices_stay() {
        let mut open = OpenWindows::default();
        for number in 0..100_000 {
            open.push((10, host(number)), 100, |address| *address < host(50));
            assert!(open.0.len() <= 400);
        }
        let due = open.due(11, usize::MAX);
        assert!((0..50).all(|number| due.contains(&host(number))));
    }
}
