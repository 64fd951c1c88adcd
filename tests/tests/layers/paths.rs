//! The paths that stand in an item's code, also within macros and attributes.

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, ImplItem, Item, ItemUse, LitStr, Macro, Meta, MetaList, Path, TraitItem, UseTree,
    Visibility,
    visit::{self, Visit},
};

use super::modules::Segments;

/// What is found in an item.
#[derive(Default)]
pub(crate) struct Found {
    /// What it imports, within functions too.
    pub(crate) imports: Vec<Import>,
    pub(crate) paths: Vec<Segments>,
}

/// A path of a `use`.
pub(crate) struct Import {
    pub(crate) path: Segments,
    /// The name that it gets; none for `*`.
    pub(crate) name: Option<String>,
    /// False for `pub use`.
    pub(crate) private: bool,
}

/// The imports and the paths of `item`.
pub(crate) fn of(item: &Item) -> Found {
    let mut found = Found::default();
    found.visit_item(item);
    found
}

/// True if the item is there for tests only.
pub(crate) fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::ForeignMod(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::TraitAlias(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => return false,
    };
    any_for_tests(attributes)
}

/// True if `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]` is among these.
fn any_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string().replace(' ', "");
            condition == "test" || condition.starts_with("all(test,")
        }
        _ => false,
    })
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(it) => &it.attrs[..],
            ImplItem::Fn(it) => &it.attrs,
            ImplItem::Macro(it) => &it.attrs,
            ImplItem::Type(it) => &it.attrs,
            _ => &[],
        };
        if !any_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(it) => &it.attrs[..],
            TraitItem::Fn(it) => &it.attrs,
            TraitItem::Macro(it) => &it.attrs,
            TraitItem::Type(it) => &it.attrs,
            _ => &[],
        };
        if !any_for_tests(attributes) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let private = matches!(item.vis, Visibility::Inherited);
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        let leaves = leaves.into_iter();
        self.imports.extend(leaves.map(|(path, name)| Import {
            path,
            name,
            private,
        }));
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let segments = path.segments.iter();
            self.paths
                .push(segments.map(|it| it.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.tokens(list.tokens.clone());
        self.quoted(list.tokens.clone());
        visit::visit_meta_list(self, list);
    }
}

/// The paths of a `use` with the name that each gets; none for `*`.
fn flatten(tree: &UseTree, before: &mut Segments, leaves: &mut Vec<(Segments, Option<String>)>) {
    let with = |name: &syn::Ident| {
        let mut path = before.clone();
        // `use a::{self}` names `a`.
        if name != "self" || path.is_empty() {
            path.push(name.to_string());
        }
        path
    };
    match tree {
        UseTree::Path(it) => {
            before.push(it.ident.to_string());
            flatten(&it.tree, before, leaves);
            before.pop();
        }
        UseTree::Name(it) => {
            let path = with(&it.ident);
            let name = path.last().cloned();
            leaves.push((path, name));
        }
        UseTree::Rename(it) => leaves.push((with(&it.ident), Some(it.rename.to_string()))),
        UseTree::Glob(_) => leaves.push((before.clone(), None)),
        UseTree::Group(it) => {
            for tree in &it.items {
                flatten(tree, before, leaves);
            }
        }
    }
}

impl Found {
    /// Takes the paths out of what a macro is given or makes, in which they are not parsed. The parameter of a macro keeps
    /// its `$`, as in `super::$module::step`.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(it)) if it.as_char() == wanted);
        let mut at = 0;
        while at < tokens.len() {
            if let TokenTree::Group(group) = &tokens[at] {
                self.tokens(group.stream());
                at += 1;
            } else {
                // A field or method is no name of the module.
                let member = at > 0 && is(at - 1, '.') && !(at > 1 && is(at - 2, '.'));
                let Some((first, after)) = segment(&tokens, at) else {
                    at += 1;
                    continue;
                };
                at = after;
                let mut path = vec![first];
                while is(at, ':')
                    && is(at + 1, ':')
                    && let Some((next, after)) = segment(&tokens, at + 2)
                {
                    path.push(next);
                    at = after;
                }
                if !member {
                    self.paths.push(path);
                }
            }
        }
    }

    /// Takes the paths that an attribute has in quotes, as in `#[serde(with = "crate::hex")]`.
    fn quoted(&mut self, tokens: TokenStream) {
        for token in tokens {
            if let TokenTree::Group(group) = token {
                self.quoted(group.stream());
            } else if let Ok(text) = syn::parse2::<LitStr>(token.into())
                && let Ok(path) = text.parse::<Path>()
                && path.segments.len() > 1
            {
                self.visit_path(&path);
            }
        }
    }
}

/// The segment of a path that begins at a token, and where the next token is. `$crate` is `crate`.
fn segment(tokens: &[TokenTree], at: usize) -> Option<(String, usize)> {
    match tokens.get(at)? {
        TokenTree::Ident(name) => Some((name.to_string(), at + 1)),
        TokenTree::Punct(it) if it.as_char() == '$' => match tokens.get(at + 1)? {
            TokenTree::Ident(name) if name == "crate" => Some((name.to_string(), at + 2)),
            TokenTree::Ident(name) => Some((format!("${name}"), at + 2)),
            _ => None,
        },
        _ => None,
    }
}
