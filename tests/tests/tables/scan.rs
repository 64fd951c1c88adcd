//! Finds the bounded tables in the code, and the values of their bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use syn::{
    Attribute, BinOp, Expr, ExprBinary, ExprCall, ExprMethodCall, Fields, ImplItemConst,
    ImplItemFn, Item, ItemConst, ItemFn, ItemMod, ItemStatic, ItemStruct, Lit, Type,
    visit::{self, Visit},
};

/// Where tables live: all that runs in the kernel or in the daemon. What makes one answer or one report is left out.
const FOLDERS: [&str; 10] = [
    "sensor-ebpf/src/kernel",
    "sensor-common/src",
    "sensor/facts/src",
    "sensor/kernel/src",
    "sensor/sessions/src",
    "sensor/analysis/src",
    "sensor/output/src",
    "sensor/evidence/src/audit",
    "sensor/response/src",
    "sensor/src/live",
];
/// The store's, beside its reports.
const STORE: &str = "sensor/evidence/src/store";
/// Types of which a field is a bounded table. A queue may grow: what bounds it stands in its row.
const TABLES: [&str; 6] = [
    "LruCache",
    "CountedLru",
    "VecDeque",
    "SyncSender",
    "Inbox",
    "Queue",
];
/// Calls that make a bounded queue.
const MAKERS: [&str; 1] = ["sync_channel"];

/// A file's name from the workspace's root on, and what is in it.
pub(crate) type Source = (String, syn::File);

/// The code that is looked at.
pub(crate) fn sources(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in FOLDERS.into_iter().chain([STORE]) {
        for path in files(&root.join(folder))? {
            let text = fs::read_to_string(&path)?;
            let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
            let name = path.strip_prefix(root)?.display().to_string();
            sources.push((name, file));
        }
    }
    Ok(sources)
}

/// What the code has.
#[derive(Default)]
pub(crate) struct Found<'a> {
    /// Fields, maps and queues, as `file::Type.field`, `file::MAP` or `file::sync_channel`.
    pub(crate) tables: BTreeSet<String>,
    /// Constants that a length is compared with or cut to, as `file::CONSTANT`.
    pub(crate) bounds: BTreeSet<String>,
    /// All constants: the expression of each, by `file::CONSTANT`.
    constants: BTreeMap<String, &'a Expr>,
}

impl<'a> Found<'a> {
    pub(crate) fn of(sources: &'a [Source]) -> Self {
        let mut found = Self::default();
        for (name, file) in sources {
            let mut reader = Reader {
                found: &mut found,
                file: name,
            };
            reader.visit_file(file);
        }
        found
    }

    /// The value of `file::CONSTANT`.
    pub(crate) fn value(&self, place: &str) -> Result<u64> {
        let (file, _) = place.split_once("::").context("a constant has a file")?;
        let expression = self.constants.get(place);
        let expression = expression.with_context(|| format!("there is no constant {place}"))?;
        self.evaluate(file, expression)
            .with_context(|| format!("the value of {place}"))
    }

    /// Where a constant that is used at `file::CONSTANT` may be defined: in this file, or else in others.
    pub(crate) fn defined(&self, place: &str) -> Vec<String> {
        if self.constants.contains_key(place) {
            return vec![place.to_owned()];
        }
        let name = place.rsplit("::").next().unwrap_or_default();
        let end = format!("::{name}");
        let all = self.constants.keys().filter(|key| key.ends_with(&end));
        all.cloned().collect()
    }

    fn evaluate(&self, file: &str, expression: &Expr) -> Result<u64> {
        match expression {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => Ok(number.base10_parse()?),
                _ => Err(anyhow::anyhow!("no number")),
            },
            Expr::Paren(inner) => self.evaluate(file, &inner.expr),
            Expr::Cast(cast) => self.evaluate(file, &cast.expr),
            Expr::Binary(ExprBinary {
                left, op, right, ..
            }) => {
                let [left, right] = [left, right].map(|side| self.evaluate(file, side));
                let (left, right) = (left?, right?);
                match op {
                    BinOp::Mul(_) => Ok(left * right),
                    BinOp::Add(_) => Ok(left + right),
                    BinOp::Shl(_) => Ok(left << right),
                    _ => Err(anyhow::anyhow!("an operator that is not known here")),
                }
            }
            // `NonZeroUsize::new(64).expect("...")`
            Expr::MethodCall(call) => self.evaluate(file, &call.receiver),
            Expr::Call(call) => self.evaluate(file, call.args.first().context("no argument")?),
            Expr::Path(path) => {
                let name = path.path.segments.last().context("no name")?;
                let here = format!("{file}::{}", name.ident);
                if self.constants.contains_key(&here) {
                    return self.value(&here);
                }
                let end = format!("::{}", name.ident);
                let mut all = self.constants.keys().filter(|key| key.ends_with(&end));
                let only = all.next().context("no such constant")?;
                ensure!(all.next().is_none(), "{end} stands in several files");
                self.value(only)
            }
            _ => Err(anyhow::anyhow!("an expression that is not known here")),
        }
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_test = name == "tests"
            || name == "testing"
            || name.ends_with("_tests")
            || name == "test_bench"
            || name == "docs";
        if is_test {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

struct Reader<'found, 'a> {
    found: &'found mut Found<'a>,
    file: &'a str,
}

impl Reader<'_, '_> {
    fn table(&mut self, name: &str) {
        self.found.tables.insert(format!("{}::{name}", self.file));
    }

    /// Notes a constant that a length is held against.
    fn bound(&mut self, expression: &Expr) {
        let Expr::Path(path) = expression else { return };
        let Some(last) = path.path.segments.last() else {
            return;
        };
        let name = last.ident.to_string();
        if name.len() > 1 && name.bytes().all(|it| !it.is_ascii_lowercase()) {
            self.found.bounds.insert(format!("{}::{name}", self.file));
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        one.path().is_ident("test")
            || (one.path().is_ident("cfg")
                && one
                    .meta
                    .require_list()
                    .is_ok_and(|list| list.tokens.to_string().contains("test")))
    })
}

/// True if the type is a table, or has one in it.
fn holds_a_table(of: &Type) -> bool {
    struct Names(bool);
    impl<'ast> Visit<'ast> for Names {
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            self.0 |= TABLES.iter().any(|name| segment.ident == name);
            visit::visit_path_segment(self, segment);
        }
    }
    let mut names = Names(false);
    names.visit_type(of);
    names.0
}

/// True for `x.len()`.
fn is_length(expression: &Expr) -> bool {
    matches!(expression, Expr::MethodCall(call) if call.method == "len")
}

impl<'ast> Visit<'ast> for Reader<'_, 'ast> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(ItemMod { attrs, .. })
            | Item::Fn(ItemFn { attrs, .. })
            | Item::Struct(ItemStruct { attrs, .. })
            | Item::Const(ItemConst { attrs, .. }) => attrs,
            _ => &Vec::new(),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        let fields = match &item.fields {
            Fields::Unit => return,
            Fields::Named(fields) => &fields.named,
            Fields::Unnamed(fields) => &fields.unnamed,
        };
        for (number, field) in fields.iter().enumerate() {
            if holds_a_table(&field.ty) {
                let name = field.ident.as_ref();
                let name = name.map_or_else(|| number.to_string(), ToString::to_string);
                self.table(&format!("{}.{name}", item.ident));
            }
        }
        visit::visit_item_struct(self, item);
    }

    fn visit_item_static(&mut self, item: &'ast ItemStatic) {
        // A kernel map.
        if item.attrs.iter().any(|one| one.path().is_ident("map")) {
            self.table(&item.ident.to_string());
        }
        visit::visit_item_static(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        let place = format!("{}::{}", self.file, item.ident);
        self.found.constants.insert(place, &item.expr);
        visit::visit_item_const(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast ImplItemConst) {
        let place = format!("{}::{}", self.file, item.ident);
        self.found.constants.insert(place, &item.expr);
        visit::visit_impl_item_const(self, item);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
            && MAKERS.iter().any(|name| last.ident == name)
        {
            self.table(&last.ident.to_string());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        if is_length(&binary.left) {
            self.bound(&binary.right);
        }
        if is_length(&binary.right) {
            self.bound(&binary.left);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if call.method == "truncate"
            && let Some(to) = call.args.first()
        {
            self.bound(to);
        }
        visit::visit_expr_method_call(self, call);
    }
}
