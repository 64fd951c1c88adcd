//! The modules of a crate, read from its files: the names that each defines or imports, and the paths in its code.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use syn::{Attribute, Expr, ExprLit, Item, ItemMod, Lit, Meta};

use super::{
    declared,
    paths::{self, Import},
};

/// A path in code, by its segments: `crate::event::Flow`.
pub(crate) type Segments = Vec<String>;

/// What a name in a module stands for.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    /// A function, type, trait, constant or macro that the module defines.
    Item,
    /// A module below it, by its number.
    Module(usize),
    /// What a `use` brings into scope from elsewhere.
    Imported(Segments),
}

/// A module of a crate.
#[derive(Debug)]
pub(crate) struct Module {
    /// The file that it is written in, by its number.
    pub(crate) file: usize,
    /// The module above it; none for the crate's root.
    pub(crate) parent: Option<usize>,
    /// The root of its crate.
    pub(crate) root: usize,
    /// The modules below it.
    pub(crate) below: Vec<usize>,
    /// Those of them that a macro declares.
    pub(crate) by_macro: Vec<usize>,
    /// Its names. One name can stand for several things, such as a module and a function.
    pub(crate) names: HashMap<String, Vec<Name>>,
    /// The modules of which it imports all names.
    pub(crate) globs: Vec<Segments>,
    /// What its own code imports; a `pub use` only hands on and is not among these.
    pub(crate) imports: Vec<Segments>,
    /// All paths in its code, names without `::` included.
    pub(crate) paths: Vec<Segments>,
}

/// The modules of a package. What is there for tests only is left out.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) all: Vec<Module>,
    pub(crate) files: Vec<PathBuf>,
}

impl Modules {
    /// Reads the crates that begin with these files.
    pub(crate) fn read(roots: &[PathBuf]) -> Result<Self> {
        let mut modules = Self::default();
        for root in roots {
            let folder = root.parent().context("a file without a folder")?;
            modules.read_file(root, folder, None)?;
        }
        Ok(modules)
    }

    /// Reads a module from its file; the modules below it have theirs in `folder`.
    fn read_file(&mut self, path: &Path, folder: &Path, parent: Option<usize>) -> Result<usize> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let parsed = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        self.files.push(path.to_owned());
        let file = self.files.len() - 1;
        self.read_items(&parsed.items, file, folder, parent)
    }

    fn read_items(
        &mut self,
        items: &[Item],
        file: usize,
        folder: &Path,
        parent: Option<usize>,
    ) -> Result<usize> {
        let id = self.all.len();
        let root = parent.map_or(id, |parent| self.all[parent].root);
        self.all.push(Module {
            file,
            parent,
            root,
            below: Vec::new(),
            by_macro: Vec::new(),
            names: HashMap::new(),
            globs: Vec::new(),
            imports: Vec::new(),
            paths: Vec::new(),
        });
        for item in items.iter().filter(|item| !paths::is_for_tests(item)) {
            match item {
                Item::Mod(module) => {
                    let below = self.read_module(module, file, folder, id)?;
                    self.define(id, &module.ident, Name::Module(below));
                    self.all[id].below.push(below);
                }
                Item::Macro(it) if it.attrs.iter().any(|it| it.path().is_ident("macro_export")) => {
                    // Written here, named at the root.
                    if let Some(name) = &it.ident {
                        let place = self.path_of(id, name);
                        self.define(id, name, Name::Item);
                        if root != id {
                            self.define(root, name, Name::Imported(place));
                        }
                    }
                }
                _ => {
                    if let Some(name) = defined(item) {
                        self.define(id, name, Name::Item);
                    }
                }
            }
            // What an inline module has is read with that module.
            if !matches!(item, Item::Mod(_)) {
                let found = paths::of(item);
                for import in found.imports {
                    self.import(id, import);
                }
                self.all[id].paths.extend(found.paths);
            }
        }
        for macro_ in items.iter().filter_map(declared::by_macro) {
            let known: HashSet<String> = items.iter().filter_map(module_name).collect();
            for name in declared::others(folder, &known)? {
                let below = self.read_below(&name, folder, id)?;
                self.define(id, &name, Name::Module(below));
                self.all[id].below.push(below);
                self.all[id].by_macro.push(below);
                if macro_.all_names {
                    self.all[id].globs.push(vec![name]);
                }
            }
        }
        Ok(id)
    }

    fn read_module(
        &mut self,
        module: &ItemMod,
        file: usize,
        folder: &Path,
        parent: usize,
    ) -> Result<usize> {
        let name = module.ident.to_string();
        let below = folder.join(&name);
        if let Some((_, items)) = &module.content {
            return self.read_items(items, file, &below, Some(parent));
        }
        if let Some(path) = named_file(&module.attrs) {
            let path = self.files[file].with_file_name(path);
            let folder = path.parent().unwrap_or(folder).to_owned();
            return self.read_file(&path, &folder, Some(parent));
        }
        self.read_below(&name, folder, parent)
    }

    /// Reads the module `name`, whose file is in `folder`.
    fn read_below(&mut self, name: &str, folder: &Path, parent: usize) -> Result<usize> {
        let below = folder.join(name);
        for path in [below.with_extension("rs"), below.join("mod.rs")] {
            if path.is_file() {
                return self.read_file(&path, &below, Some(parent));
            }
        }
        bail!("no file of module {name} in {}", folder.display())
    }

    fn define(&mut self, module: usize, name: &impl ToString, what: Name) {
        let names = &mut self.all[module].names;
        names.entry(name.to_string()).or_default().push(what);
    }

    /// Where a name of a module is found from the root of its crate.
    fn path_of(&self, module: usize, name: &impl ToString) -> Segments {
        let mut path = vec![name.to_string()];
        let mut below = module;
        while let Some(parent) = self.all[below].parent {
            let own = self.all[parent].names.iter().find(|(_, what)| {
                what.iter()
                    .any(|it| matches!(it, Name::Module(id) if *id == below))
            });
            path.extend(own.map(|(name, _)| name.clone()));
            below = parent;
        }
        path.push("crate".to_owned());
        path.reverse();
        path
    }

    /// Takes what a `use` names into a module.
    fn import(&mut self, module: usize, import: Import) {
        let Some(name) = import.name else {
            self.all[module].globs.push(import.path);
            return;
        };
        if import.private {
            self.all[module].imports.push(import.path.clone());
        }
        self.define(module, &name, Name::Imported(import.path));
    }
}

/// The name of the module that an item declares, one for tests too.
fn module_name(item: &Item) -> Option<String> {
    match item {
        Item::Mod(it) => Some(it.ident.to_string()),
        _ => None,
    }
}

/// The file of `#[path = "…"]`.
fn named_file(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(it) if it.path.is_ident("path") => match &it.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}

/// The name that an item defines in its module.
fn defined(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Const(it) => Some(&it.ident),
        Item::Enum(it) => Some(&it.ident),
        Item::Fn(it) => Some(&it.sig.ident),
        Item::Macro(it) => it.ident.as_ref(),
        Item::Static(it) => Some(&it.ident),
        Item::Struct(it) => Some(&it.ident),
        Item::Trait(it) => Some(&it.ident),
        Item::TraitAlias(it) => Some(&it.ident),
        Item::Type(it) => Some(&it.ident),
        Item::Union(it) => Some(&it.ident),
        _ => None,
    }
}
