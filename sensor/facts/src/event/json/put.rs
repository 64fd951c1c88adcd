//! Values that are written without `serde_json`.

use std::{borrow::Cow, net::IpAddr};

use super::line::Line;
use crate::time::Time;

/// A value that is written here.
pub(in crate::event) trait Put {
    /// Writes it, and a comma.
    fn put(&self, line: &mut Line<'_>);
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Put for $number {
            #[inline]
            fn put(&self, line: &mut Line<'_>) {
                line.number(u64::from(*self));
            }
        })*
    };
}

numbers!(u8 u16 u32 u64);

impl Put for i32 {
    fn put(&self, line: &mut Line<'_>) {
        line.signed(i64::from(*self));
    }
}

impl Put for bool {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.flag(*self);
    }
}

impl Put for String {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.text(self);
    }
}

impl Put for Cow<'static, str> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.text(self);
    }
}

impl Put for Time {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.time(*self);
    }
}

impl Put for IpAddr {
    fn put(&self, line: &mut Line<'_>) {
        line.address(*self);
    }
}

/// Of nothing its key is left out too.
impl<T: Put> Put for Option<T> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        if let Some(value) = self {
            value.put(line);
        }
    }
}

impl<T: Put> Put for [T] {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        line.put([b'[']);
        for value in self {
            value.put(line);
        }
        line.end(b']');
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        self.as_slice().put(line);
    }
}

impl<T: Put> Put for Vec<T> {
    #[inline]
    fn put(&self, line: &mut Line<'_>) {
        self.as_slice().put(line);
    }
}
