//! Which files of a crate import which, and the largest set of files that all import each other, directly or by way of
//! others (the largest strongly connected component, found by Tarjan's algorithm).
//!
//! A file imports another if a path in it, in a `use` or anywhere in its code, resolves to an item that the other
//! defines. A path by way of a `pub use` leads to the file with the item, and so the file with the `pub use` is imported
//! by nobody for it and imports nothing by it. `use x::*` counts for the names that are then used. `mod x;` alone is no
//! import, but what a module's code uses of the modules below it is one, like any other.

use std::{
    collections::{BTreeSet, HashSet},
    path::{Path, PathBuf},
};

use anyhow::Result;
use petgraph::{
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
};

use super::modules::{Modules, Name};

/// The files of a package, and which imports which.
pub(crate) struct Imports {
    /// An edge leads from a file to one that it imports.
    graph: DiGraph<PathBuf, ()>,
}

/// What a path leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Module(usize),
    /// An item that this module defines.
    ItemOf(usize),
}

impl Imports {
    /// Those of the package whose crates begin with the files `roots`.
    pub(crate) fn of(roots: &[PathBuf]) -> Result<Self> {
        let modules = Modules::read(roots)?;
        let mut graph = DiGraph::new();
        // The numbers of the nodes are those of the files.
        for file in &modules.files {
            graph.add_node(file.clone());
        }
        for (id, module) in modules.all.iter().enumerate() {
            for path in module.imports.iter().chain(&module.paths) {
                for target in modules.resolve(id, path, &mut HashSet::new()) {
                    // A module alone is not used yet: what is taken from it stands in another path.
                    if let Target::ItemOf(other) = target {
                        let [from, to] = [id, other].map(|it| modules.all[it].file);
                        if from != to {
                            graph.update_edge(NodeIndex::new(from), NodeIndex::new(to), ());
                        }
                    }
                }
            }
        }
        Ok(Self { graph })
    }

    /// How many files there are.
    pub(crate) fn files(&self) -> usize {
        self.graph.node_count()
    }

    /// How many pairs of files there are of which one imports the other.
    pub(crate) fn edges(&self) -> usize {
        self.graph.edge_count()
    }

    /// The largest set of files that all import each other; a single file if there is no cycle.
    pub(crate) fn largest_cycle(&self) -> Vec<&Path> {
        largest(&self.graph)
            .into_iter()
            .map(PathBuf::as_path)
            .collect()
    }
}

/// The nodes of the largest strongly connected component, in order.
fn largest<N: Ord>(graph: &DiGraph<N, ()>) -> Vec<&N> {
    let components = tarjan_scc(graph);
    let largest = components.into_iter().max_by_key(Vec::len);
    let mut nodes: Vec<&N> = largest
        .into_iter()
        .flatten()
        .map(|node| &graph[node])
        .collect();
    nodes.sort();
    nodes
}

impl Modules {
    /// What a path in a module leads to; nothing if that is in another crate. `seen` has the names that are being
    /// resolved, as an import can name itself.
    fn resolve(
        &self,
        module: usize,
        path: &[String],
        seen: &mut HashSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first() else {
            return BTreeSet::new();
        };
        let mut targets = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(self.all[module].root)]),
            "self" => BTreeSet::from([Target::Module(module)]),
            parameter if parameter.starts_with('$') => self.chosen(module, rest.first()),
            "super" => {
                let parent = self.all[module].parent;
                parent.map(Target::Module).into_iter().collect()
            }
            name => self.look_up(module, name, seen),
        };
        for (at, name) in rest.iter().enumerate() {
            targets = targets
                .into_iter()
                .flat_map(|target| match target {
                    Target::Module(id) if name == "super" => {
                        let parent = self.all[id].parent;
                        parent.map(Target::Module).into_iter().collect()
                    }
                    Target::Module(id) if name.starts_with('$') => {
                        // One parameter is a module; what follows it is an item that the macro is told by name.
                        if path[..=at].iter().any(|before| before.starts_with('$')) {
                            BTreeSet::from([Target::ItemOf(id)])
                        } else {
                            self.chosen(id, rest.get(at + 1))
                        }
                    }
                    Target::Module(id) => {
                        let found = self.look_up(id, name, seen);
                        // What a macro makes is not seen, but it is there.
                        if found.is_empty() {
                            BTreeSet::from([Target::ItemOf(id)])
                        } else {
                            found
                        }
                    }
                    // A variant of an enum, or what a type has.
                    Target::ItemOf(_) => BTreeSet::from([target]),
                })
                .collect();
        }
        targets
    }

    /// The modules that a macro's parameter can stand for in a module, where `next` follows: those that a macro
    /// declares, or else those that define the name.
    fn chosen(&self, module: usize, next: Option<&String>) -> BTreeSet<Target> {
        let of = &self.all[module];
        let Some(next) = next else {
            return BTreeSet::new();
        };
        let chosen: Vec<usize> = if of.by_macro.is_empty() {
            let defines = |id: &&usize| self.all[**id].names.contains_key(next);
            of.below.iter().filter(defines).copied().collect()
        } else {
            of.by_macro.clone()
        };
        chosen.into_iter().map(Target::Module).collect()
    }

    /// What a name stands for in a module.
    fn look_up(
        &self,
        module: usize,
        name: &str,
        seen: &mut HashSet<(usize, String)>,
    ) -> BTreeSet<Target> {
        let key = (module, name.to_owned());
        if !seen.insert(key.clone()) {
            return BTreeSet::new();
        }
        let of = &self.all[module];
        let mut found = BTreeSet::new();
        for what in of.names.get(name).into_iter().flatten() {
            match what {
                Name::Item => {
                    found.insert(Target::ItemOf(module));
                }
                Name::Module(id) => {
                    found.insert(Target::Module(*id));
                }
                Name::Imported(path) => found.extend(self.resolve(module, path, seen)),
            }
        }
        if found.is_empty() {
            for glob in &of.globs {
                for target in self.resolve(module, glob, seen) {
                    if let Target::Module(id) = target {
                        found.extend(self.look_up(id, name, seen));
                    }
                }
            }
        }
        seen.remove(&key);
        found
    }
}
