//! Modules that a macro declares, as the registry of protocols does: `mod $name;` in a `macro_rules!`.
//!
//! What the macro is called with is not followed. Each module in the folder that no other `mod` declares is one of them,
//! as every file belongs to some module.

use std::{collections::HashSet, fs, path::Path};

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::Item;

/// A macro that declares modules.
pub(crate) struct Declares {
    /// It imports all names of each module as well: `use $name::*`.
    pub(crate) all_names: bool,
}

/// What of modules the item declares, if it is such a macro.
pub(crate) fn by_macro(item: &Item) -> Option<Declares> {
    let Item::Macro(item) = item else {
        return None;
    };
    item.mac.path.is_ident("macro_rules").then_some(())?;
    let tokens = item.mac.tokens.clone();
    has(tokens.clone(), &["mod", "$", "", ";"]).then(|| Declares {
        all_names: has(tokens, &["use", "$", "", ":", ":", "*", ";"]),
    })
}

/// True if these tokens follow each other, within a group too; an empty one is any.
fn has(tokens: TokenStream, wanted: &[&str]) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is = |token: &TokenTree, wanted: &str| wanted.is_empty() || token.to_string() == wanted;
    let here = tokens.windows(wanted.len()).any(|some| {
        let mut both = some.iter().zip(wanted);
        both.all(|(token, wanted)| is(token, wanted))
    });
    here || tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => has(group.stream(), wanted),
        _ => false,
    })
}

/// The modules whose files are in `folder`, without those that are `known`, in order.
pub(crate) fn others(folder: &Path, known: &HashSet<String>) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let is_file = path.extension().is_some_and(|it| it == "rs");
        if !is_file && !path.join("mod.rs").is_file() {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if name != "mod" && name != "lib" && name != "main" && !known.contains(&*name) {
            names.push(name.into_owned());
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}
