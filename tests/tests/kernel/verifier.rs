//! How many instructions the verifier looked at.
//!
//! From Linux 5.16 on `bpf_prog_info` says it; on every kernel the verifier's log does, but the loader asks for a log
//! only after a refusal. So this program has a `syscall` of its own in front of the C library's, which asks for the
//! statistics (Linux 5.2, commit 06ee7115b0d1) when a program is loaded within [`counting`].

use std::{
    cell::RefCell,
    ffi::{CStr, c_long},
    mem,
};

use nix::{errno::Errno, libc};

/// `BPF_PROG_LOAD` of linux/bpf.h.
const PROG_LOAD: c_long = 5;
/// `BPF_LOG_STATS` of `linux/bpf_verifier.h`.
const LOG_STATS: u32 = 4;
/// Bytes of a log that holds them.
const LOG: usize = 1 << 16;

/// The beginning of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
struct ProgLoad {
    kind: u32,
    instructions: u32,
    code: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
}

thread_local! {
    static COUNTS: RefCell<Option<Vec<(String, u64)>>> = const { RefCell::new(None) };
}

/// Does `what`; names of the programs that were loaded by it on this thread, and the verifier's instructions.
pub(crate) fn counting<T>(what: impl FnOnce() -> T) -> (T, Vec<(String, u64)>) {
    COUNTS.set(Some(Vec::new()));
    let done = what();
    (done, COUNTS.take().unwrap_or_default())
}

type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;

/// The system call of the C library.
fn original() -> Syscall {
    // SAFETY: a look-up of a symbol that the C library has, by its prototype (unistd.h).
    unsafe {
        let found = libc::dlsym(libc::RTLD_NEXT, c"syscall".as_ptr());
        mem::transmute::<*mut libc::c_void, Syscall>(found)
    }
}

/// In place of the C library's for all of this program: passes everything on.
///
/// # Safety
/// As the system call.
// SAFETY: where arguments are in registers, a variadic function is called like one of six.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    first: c_long,
    second: c_long,
    third: c_long,
    fourth: c_long,
    fifth: c_long,
    sixth: c_long,
) -> c_long {
    // SAFETY: what the caller says of its arguments.
    let pass = || unsafe { original()(number, first, second, third, fourth, fifth, sixth) };
    if number != libc::SYS_bpf || first != PROG_LOAD || COUNTS.with_borrow(Option::is_none) {
        return pass();
    }
    let attributes = second as *mut ProgLoad;
    let mut log = vec![0_u8; LOG];
    // SAFETY: with this command the attributes are those of a program, the caller's alone.
    let name = unsafe {
        if (*attributes).log_level != 0 {
            return pass();
        }
        (*attributes).log_level = LOG_STATS;
        (*attributes).log_size = 1 << 16;
        (*attributes).log = log.as_mut_ptr() as u64;
        (*attributes).name
    };
    let done = pass();
    let error = Errno::last_raw();
    // SAFETY: as above; the log's memory is ours and goes.
    unsafe {
        (*attributes).log_level = 0;
        (*attributes).log_size = 0;
        (*attributes).log = 0;
    }
    let (name, log) = (text(&name), text(&log));
    if done < 0 {
        // Before the loader asks again, and again, for a log of every step.
        println!("the verifier refuses {name}: {log}");
    } else if let Some(count) = processed(&log) {
        COUNTS.with_borrow_mut(|counts| {
            if let Some(counts) = counts {
                counts.push((name, count));
            }
        });
    }
    Errno::set_raw(error);
    done
}

fn text(bytes: &[u8]) -> String {
    CStr::from_bytes_until_nul(bytes)
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// `N` of the log's "processed N insns".
fn processed(log: &str) -> Option<u64> {
    let rest = log.split("processed ").nth(1)?;
    rest.split_whitespace().next()?.parse().ok()
}
