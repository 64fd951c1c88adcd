//! The recipes of CONTRIBUTING.md name files and code that are there.
//!
//! In the numbered steps of a recipe each name in backquotes with a slash is a path; where it has `NAME` in it, the file is
//! new and its folder, or the folder above that, is there. Each other name is one of the code, which a file of its step
//! has, or for a step with nothing but a new file, a file beside it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A recipe: its title, the number of files in it, and its steps.
struct Recipe<'a> {
    title: &'a str,
    files: usize,
    steps: Vec<String>,
}

fn recipes(page: &str) -> Result<Vec<Recipe<'_>>> {
    let (_, page) = page.split_once("\n## Recipes\n").context("no recipes")?;
    page.split("\n### ").skip(1).map(recipe).collect()
}

fn recipe(text: &str) -> Result<Recipe<'_>> {
    let (title, text) = text.split_once('\n').context("a title without a text")?;
    let (_, count) = title.rsplit_once('(').context("a title without a count")?;
    let files = count.split(' ').next().unwrap_or_default().parse()?;
    // What follows the list says what to run, not what to edit.
    let (list, _) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut steps: Vec<String> = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            steps.push(line.to_owned());
        } else {
            let newest = steps.last_mut().with_context(|| title.to_owned())?;
            newest.push('\n');
            newest.push_str(line);
        }
    }
    Ok(Recipe {
        title,
        files,
        steps,
    })
}

/// What stands in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The files that a step tells to edit or create: those of its first sentence.
fn edited(step: &str) -> Vec<&str> {
    let sentence = step.split_once(". ").map_or(step, |(_, rest)| rest);
    // A dot within backquotes ends no sentence.
    let mut inside = false;
    let end = sentence.char_indices().find_map(|(at, char)| {
        inside ^= char == '`';
        (!inside && matches!(char, '.' | ':')).then_some(at)
    });
    quoted(&sentence[..end.unwrap_or(sentence.len())])
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "rs"))
        .collect()
}

/// Text of the Rust files in a folder.
fn sources(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "rs") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(text)
}

/// The code in which a step's names are looked for.
fn code(root: &Path, step: &str) -> Result<String> {
    let mut text = String::new();
    for name in quoted(step).filter(|name| name.contains('/')) {
        let path = root.join(name);
        if path.is_file() {
            text.push_str(&fs::read_to_string(&path)?);
        } else if name.contains("NAME") {
            // The new file's neighbours; a new folder has none, but the folder above it has.
            let mut folder = path.parent().context("a file without a folder")?;
            if !folder.is_dir() {
                folder = folder.parent().context("a folder without a parent")?;
            }
            text.push_str(&sources(folder)?);
        } else {
            ensure!(path.is_dir(), "there is no {name}");
        }
    }
    Ok(text)
}

#[test]
fn each_recipe_names_files_and_code_that_are_there() -> Result<()> {
    let root = root();
    let page = fs::read_to_string(root.join("CONTRIBUTING.md")).context("CONTRIBUTING.md")?;
    let recipes = recipes(&page)?;
    ensure!(recipes.len() == 6, "{} recipes", recipes.len());
    for Recipe {
        title,
        files,
        steps,
    } in recipes
    {
        let named: BTreeSet<&str> = steps.iter().flat_map(|step| edited(step)).collect();
        ensure!(named.len() == files, "{title}: it names {named:?}");
        for step in &steps {
            let code = code(&root, step).with_context(|| title.to_owned())?;
            for name in quoted(step).filter(|name| !name.contains(['/', ' ']) && *name != "NAME") {
                // `Output::start` is `start` in the code, `item!` is `item`.
                let word = name.trim_end_matches('!');
                let word = word.rsplit("::").next().unwrap_or(word);
                let found = code
                    .split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
                    .any(|it| it == word);
                ensure!(found, "{title}: no `{name}` in the files of: {step}");
            }
        }
    }
    // Paths outside of the steps are there too.
    for name in quoted(&page.replace("```", "")) {
        let path = name.contains('/') && !name.contains(['<', ' ', '\n']) && !name.contains("NAME");
        ensure!(!path || root.join(name).exists(), "there is no {name}");
    }
    Ok(())
}
