//! Which instructions a packet of an established flow executes: the bench's program is interpreted with the bench's
//! frame, and each instruction counted by the source file that it comes from.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "registers hold addresses, halves and signed numbers alike: an interpreter cuts and turns them"
)]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use aya_obj::{Object, generated::bpf_insn};

use crate::workspace::root;

/// Packets before the one that is counted: the flow is established by then, and no power of two comes.
const BEFORE: u32 = 69;
/// Where the bench begins memory areas, each at a multiple.
const AREA: u64 = 1 << 32;
/// Hints of the flow table, less one.
const HINTS: u32 = 0xffff;

/// Prints the table for the programs of `object`.
pub(crate) fn print(object: &Path) -> Result<()> {
    for program in [
        "sensor_next_segment",
        "reference_counter",
        "reference_words",
    ] {
        let mut machine = Machine::load(&fs::read(object)?, program)?;
        for _ in 0..=BEFORE {
            machine.executed.clear();
            machine.packet()?;
        }
        let sum: u32 = machine.executed.values().sum();
        println!("{program}: {sum} instructions");
        let mut parts: Vec<_> = machine.executed.iter().collect();
        parts.sort_by_key(|(_, count)| u32::MAX - **count);
        for (file, count) in parts {
            println!("{count:>6} {file}");
        }
    }
    Ok(())
}

struct MapState {
    kind: u32,
    key: usize,
    value: usize,
    entries: HashMap<Vec<u8>, u64>,
    queue: Vec<u8>,
}

struct Machine {
    code: Vec<bpf_insn>,
    files: Vec<String>,
    maps: Vec<MapState>,
    areas: Vec<Vec<u8>>,
    frame: u64,
    context: u64,
    stack: u64,
    time: u64,
    executed: BTreeMap<String, u32>,
}

impl Machine {
    fn load(bytes: &[u8], program: &str) -> Result<Self> {
        let mut object = Object::parse(bytes)?;
        let hints = HINTS.to_le_bytes();
        object.patch_map_data(HashMap::from([("WARDTAP_HINTS", (&hints[..], true))]))?;
        let maps: Vec<_> = object.maps.clone().into_iter().collect();
        let text: HashSet<usize> = object
            .functions
            .keys()
            .map(|(section, _)| *section)
            .collect();
        let numbered = (1..).zip(&maps);
        object.relocate_maps(
            numbered.map(|(fd, (name, map))| (name.as_str(), fd, map)),
            &text,
        )?;
        object.relocate_calls(&text)?;
        let found = object.programs.get(program).context("no such program")?;
        let function = &object.functions[&found.function_key()];
        let mut machine = Self {
            code: function.instructions.clone(),
            files: files(&object, function)?,
            maps: Vec::new(),
            areas: Vec::new(),
            frame: 0,
            context: 0,
            stack: 0,
            time: AREA,
            executed: BTreeMap::new(),
        };
        for (_, map) in &maps {
            let mut state = MapState {
                kind: map.map_type(),
                key: map.key_size() as usize,
                value: map.value_size() as usize,
                entries: HashMap::new(),
                queue: (0..64).collect(),
            };
            if !map.data().is_empty() {
                let data = machine.area(map.data().to_vec());
                state.entries.insert(vec![0; 4], data);
            }
            machine.maps.push(state);
        }
        machine.frame = machine.area(frame());
        machine.context = machine.area(vec![0; 24]);
        machine.stack = machine.area(vec![0; 8 * 512]);
        Ok(machine)
    }

    fn area(&mut self, bytes: Vec<u8>) -> u64 {
        self.areas.push(bytes);
        self.areas.len() as u64 * AREA
    }

    fn at(&mut self, address: u64, length: usize) -> Result<&mut [u8]> {
        let (area, offset) = ((address / AREA) as usize, (address % AREA) as usize);
        area.checked_sub(1)
            .and_then(|area| self.areas.get_mut(area))
            .and_then(|bytes| bytes.get_mut(offset..offset + length))
            .with_context(|| format!("{length} bytes at {address:#x}"))
    }

    fn load_number(&mut self, address: u64, length: usize) -> Result<u64> {
        // The context's pointers have 32 bits; the kernel makes 64 of them.
        if address / AREA == self.context / AREA && address % AREA < 8 {
            let length = self.areas[(self.frame / AREA - 1) as usize].len() as u64;
            return Ok(self.frame + if address % AREA == 4 { length } else { 0 });
        }
        let mut number = [0; 8];
        number[..length].copy_from_slice(self.at(address, length)?);
        Ok(u64::from_le_bytes(number))
    }

    fn packet(&mut self) -> Result<()> {
        let mut registers = [0; 11];
        registers[1] = self.context;
        registers[10] = self.stack + 512;
        self.run(0, registers)?;
        Ok(())
    }

    fn run(&mut self, start: usize, mut r: [u64; 11]) -> Result<u64> {
        let mut at = start;
        loop {
            let insn = *self.code.get(at).context("beyond the program")?;
            *self.executed.entry(self.files[at].clone()).or_default() += 1;
            at += 1;
            let (to, from) = (insn.dst_reg() as usize, insn.src_reg() as usize);
            let offset = i64::from(insn.off);
            let immediate = i64::from(insn.imm).cast_unsigned();
            let size = [4, 2, 1, 8][usize::from(insn.code >> 3 & 3)];
            match insn.code & 7 {
                0 => {
                    let high = self.code[at].imm.cast_unsigned();
                    at += 1;
                    r[to] = match from {
                        // A map, by its number, and a map's first value.
                        1 => immediate,
                        2 => {
                            self.maps[insn.imm as usize - 1].entries[&vec![0; 4]] + u64::from(high)
                        }
                        _ => u64::from(high) << 32 | immediate & 0xffff_ffff,
                    };
                }
                1 => r[to] = self.load_number(r[from].wrapping_add_signed(offset), size)?,
                class @ (2 | 3) => {
                    ensure!(insn.code & 0xe0 == 0x60, "an atomic operation");
                    let value = if class == 3 { r[from] } else { immediate };
                    let target = self.at(r[to].wrapping_add_signed(offset), size)?;
                    target.copy_from_slice(&value.to_le_bytes()[..size]);
                }
                class @ (5 | 6) => match insn.code >> 4 {
                    0 => {
                        let jump = if class == 5 {
                            offset
                        } else {
                            i64::from(insn.imm)
                        };
                        at = at.wrapping_add_signed(jump as isize);
                    }
                    8 if from == 1 => {
                        let mut inner = r;
                        inner[10] += 512;
                        r[0] = self.run(at.wrapping_add_signed(insn.imm as isize), inner)?;
                    }
                    8 => r[0] = self.helper(insn.imm, &r)?,
                    9 => return Ok(r[0]),
                    _ => {
                        let other = if insn.code & 8 == 0 {
                            immediate
                        } else {
                            r[from]
                        };
                        if jumps(insn.code >> 4, class == 5, r[to], other)? {
                            at = at.wrapping_add_signed(offset as isize);
                        }
                    }
                },
                class => {
                    let other = if insn.code & 8 == 0 {
                        immediate
                    } else {
                        r[from]
                    };
                    r[to] = arithmetic(insn, class == 7, r[to], other)?;
                }
            }
        }
    }

    /// A helper of the kernel, by its number (linux/bpf.h).
    fn helper(&mut self, number: i32, r: &[u64; 11]) -> Result<u64> {
        const MISSING: u64 = (-2_i64).cast_unsigned();
        let map = r[1] as usize;
        Ok(match number {
            1..=3 | 87 | 88 => {
                let state = self.maps.get(map.wrapping_sub(1)).context("no such map")?;
                let (kind, size, value) = (state.kind, state.value, state.key);
                let key = self.at(r[2], value)?.to_vec();
                let state = &mut self.maps[map - 1];
                let there = state.entries.get(&key).copied();
                match number {
                    1 => match there {
                        Some(address) => address,
                        // An array, plain or for each CPU.
                        None if kind == 2 || kind == 6 => {
                            let address = self.area(vec![0; size]);
                            self.maps[map - 1].entries.insert(key, address);
                            address
                        }
                        None => 0,
                    },
                    2 => {
                        let bytes = self.at(r[3], size)?.to_vec();
                        let address = self.area(bytes);
                        self.maps[map - 1].entries.insert(key, address);
                        0
                    }
                    3 => state.entries.remove(&key).map_or(MISSING, |_| 0),
                    88 => {
                        let place = u32::from(state.queue.pop().context("no place")?);
                        self.at(r[2], 4)?.copy_from_slice(&place.to_le_bytes());
                        0
                    }
                    _ => 0,
                }
            }
            5 => {
                self.time += 1_000;
                self.time
            }
            113 => {
                let bytes = self.at(r[3], r[2] as usize)?.to_vec();
                self.at(r[1], r[2] as usize)?.copy_from_slice(&bytes);
                0
            }
            // The ring is full.
            130 => MISSING,
            131 => 0,
            other => bail!("helper {other}"),
        })
    }
}

fn arithmetic(insn: bpf_insn, wide: bool, value: u64, other: u64) -> Result<u64> {
    let (a, b, bits) = if wide {
        (value, other, 64)
    } else {
        (value & 0xffff_ffff, other & 0xffff_ffff, 32)
    };
    let shift = (b % bits) as u32;
    let result = match insn.code >> 4 {
        0x0 => a.wrapping_add(b),
        0x1 => a.wrapping_sub(b),
        0x2 => a.wrapping_mul(b),
        0x3 => a.checked_div(b).unwrap_or(0),
        0x4 => a | b,
        0x5 => a & b,
        0x6 => a << shift,
        0x7 => a >> shift,
        0x8 => a.wrapping_neg(),
        0x9 => a.checked_rem(b).unwrap_or(a),
        0xa => a ^ b,
        0xb => b,
        0xc if wide => (a.cast_signed() >> shift).cast_unsigned(),
        0xc => u64::from((a as u32).cast_signed().wrapping_shr(shift).cast_unsigned()),
        // To big-endian of so many bits, or cut to them.
        0xd if insn.code & 8 != 0 => return Ok(value.swap_bytes() >> (64 - insn.imm)),
        0xd => return Ok(value & u64::MAX >> (64 - insn.imm)),
        other => bail!("arithmetic {other:#x}"),
    };
    Ok(if wide { result } else { result & 0xffff_ffff })
}

fn jumps(operation: u8, wide: bool, value: u64, other: u64) -> Result<bool> {
    let (a, b, sa, sb) = if wide {
        (value, other, value.cast_signed(), other.cast_signed())
    } else {
        let (a, b) = (value as u32, other as u32);
        let signed = |number: u32| i64::from(number.cast_signed());
        (u64::from(a), u64::from(b), signed(a), signed(b))
    };
    Ok(match operation {
        0x1 => a == b,
        0x2 => a > b,
        0x3 => a >= b,
        0x4 => a & b != 0,
        0x5 => a != b,
        0x6 => sa > sb,
        0x7 => sa >= sb,
        0xa => a < b,
        0xb => a <= b,
        0xc => sa < sb,
        0xd => sa <= sb,
        other => bail!("jump {other:#x}"),
    })
}

/// The source file of each instruction; what comes from the language's library counts for the file before it.
fn files(object: &Object, function: &aya_obj::Function) -> Result<Vec<String>> {
    let btf = object.btf.as_ref().context("no BTF")?.to_bytes();
    let word = |at: usize| u32::from_le_bytes([btf[at], btf[at + 1], btf[at + 2], btf[at + 3]]);
    let strings = btf
        .get((word(4) + word(16)) as usize..)
        .context("BTF has no strings")?;
    let mut files = vec![String::new(); function.instructions.len()];
    for line in &function.line_info.line_info {
        let name: Vec<u8> = strings[line.file_name_off as usize..]
            .iter()
            .copied()
            .take_while(|byte| *byte != 0)
            .collect();
        files[line.insn_off as usize] = String::from_utf8_lossy(&name).into_owned();
    }
    let root = root();
    let mut last = String::new();
    for file in &mut files {
        if let Ok(own) = Path::new(file).strip_prefix(root) {
            last = own.display().to_string();
        }
        file.clone_from(&last);
    }
    Ok(files)
}

/// The bench's established flow: a TCP segment of 46 bytes of payload.
fn frame() -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    frame.extend([0x45, 0, 0, 86, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend([10, 1, 0, 1, 10, 2, 0, 1, 0x9c, 0x40, 0x2b, 0x68]);
    frame.extend([0, 0, 3, 232, 0, 0, 0, 1, 0x50, 0x10, 255, 255, 0, 0, 0, 0]);
    frame.extend([0x55; 46]);
    frame
}
