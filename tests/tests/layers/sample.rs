//! Shows on a small crate that cycles are found where they are, and only there.

use std::fs;

use anyhow::Result;
use tests::folder::Folder;

use super::cycles::Imports;

/// Three files import each other: `order`, `stock` by way of the re-export in `store/mod.rs`, and `price` within a
/// macro. `report` only imports, and what tests import does not count.
const FILES: [(&str, &str); 7] = [
    (
        "lib.rs",
        "mod order; mod price; mod report; pub mod store; #[cfg(test)] mod tests;",
    ),
    (
        "order.rs",
        "use crate::store::Stock; pub struct Order(pub Stock); #[cfg(test)] mod unit { use crate::report::Report; }",
    ),
    (
        "price.rs",
        "pub struct Price; impl Price { fn all() { let _ = vec![super::order::Order::new()]; } }",
    ),
    (
        "report.rs",
        "use crate::{order::Order, price}; pub struct Report(Order, price::Price);",
    ),
    ("store/mod.rs", "mod stock; pub use stock::Stock;"),
    (
        "store/stock.rs",
        "use crate::price; pub struct Stock { price: price::Price }",
    ),
    ("tests.rs", "use crate::report::Report;"),
];

#[test]
fn a_cycle_is_found_by_way_of_re_exports_and_macros() -> Result<()> {
    let folder = Folder::create("cycles")?;
    fs::create_dir_all(folder.path.join("src/store"))?;
    for (name, text) in FILES {
        fs::write(folder.path.join("src").join(name), text)?;
    }
    let roots = [folder.path.join("src/lib.rs")];
    let imports = Imports::of(&roots)?;
    assert_eq!((imports.files(), imports.edges()), (6, 5));
    let cycle =
        ["order.rs", "price.rs", "store/stock.rs"].map(|name| folder.path.join("src").join(name));
    assert_eq!(imports.largest_cycle(), cycle);

    fs::write(folder.path.join("src/price.rs"), "pub struct Price;")?;
    let imports = Imports::of(&roots)?;
    assert_eq!((imports.edges(), imports.largest_cycle().len()), (4, 1));

    // What a module's own code uses of the modules below it counts, too.
    let both =
        "mod stock; pub use stock::Stock; fn all() -> Vec<Stock> { Vec::new() } pub struct Shelf;";
    fs::write(folder.path.join("src/store/mod.rs"), both)?;
    fs::write(
        folder.path.join("src/store/stock.rs"),
        "pub struct Stock(super::Shelf);",
    )?;
    let cycle = ["store/mod.rs", "store/stock.rs"].map(|name| folder.path.join("src").join(name));
    assert_eq!(Imports::of(&roots)?.largest_cycle(), cycle);
    Ok(())
}

/// The modules of `kind` are declared by a macro, whose other macro asks each of them; `kind/second.rs` asks back.
const BY_MACRO: [(&str, &str); 5] = [
    ("lib.rs", "pub mod kind;"),
    (
        "kind/mod.rs",
        "macro_rules! modules { ($($name:ident)+) => { $(mod $name; pub use $name::*;)+ }; } modules! { first second } \
         mod all; #[cfg(test)] mod tests;",
    ),
    (
        "kind/all.rs",
        "macro_rules! each { ($($name:ident)+) => { $(super::$name::ask();)+ }; } pub fn all() { each!(first second) }",
    ),
    ("kind/first.rs", "pub fn ask() {}"),
    (
        "kind/second/mod.rs",
        "pub fn ask() { crate::kind::all::all() }",
    ),
];

#[test]
fn modules_that_a_macro_declares_are_seen() -> Result<()> {
    let folder = Folder::create("declared")?;
    let source = folder.path.join("src");
    fs::create_dir_all(source.join("kind/second"))?;
    for (name, text) in BY_MACRO {
        fs::write(source.join(name), text)?;
    }
    fs::write(source.join("kind/tests.rs"), "use super::all;")?;
    let imports = Imports::of(&[source.join("lib.rs")])?;
    assert_eq!((imports.files(), imports.edges()), (5, 3));
    let cycle = ["kind/all.rs", "kind/second/mod.rs"].map(|name| source.join(name));
    assert_eq!(imports.largest_cycle(), cycle);
    Ok(())
}
