//! Which files the arguments name: files, folders with all histories below them, and patterns.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use anachron::contract::Pattern;

use super::CommandError;

/// How the names of histories end, where a folder is searched for them.
const ENDINGS: [&str; 4] = [".jsonl", ".ndjson", ".json", ".edn"];
/// Behind these.
const COMPRESSED: [&str; 2] = [".gz", ".zst"];
/// What Jepsen writes beside a history.
const OTHER: [&str; 3] = ["results.edn", "results.json", "test.edn"];

/// The histories in the order of the arguments, those of a folder or a pattern in the order of their names.
pub(crate) fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for argument in arguments {
        if argument == Path::new("-") {
            if files.contains(argument) {
                return Err(CommandError::new("standard input can be read only once").help("give `-` once"));
            }
            files.push(argument.clone());
        } else if argument.is_dir() {
            let found = below(argument)?;
            if found.is_empty() {
                // That is said where it is read.
                files.push(argument.clone());
            }
            files.extend(found);
        } else if is_pattern(argument) && !argument.exists() {
            files.extend(matching(argument)?);
        } else {
            // What does not exist is said where it is read: the other histories are judged all the same.
            files.push(argument.clone());
        }
    }
    Ok(files)
}

/// The text of a file that is no history, of so many bytes at most: what somebody names by mistake may have no end.
pub(crate) fn text(path: &Path, most: u64) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > most) {
        return Err(std::io::Error::other(format!("it is larger than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is no UTF-8 text"))
}

/// All histories below a folder. Links to folders are not followed: Jepsen's `latest` is there already.
fn below(folder: &Path) -> Result<BTreeSet<PathBuf>, CommandError> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = entries(&folder)?;
        let has_edn = entries.iter().any(|(name, _)| name.starts_with("history.edn"));
        for (name, is_folder) in entries {
            if name.starts_with('.') {
                continue;
            }
            let path = folder.join(&name);
            if is_folder {
                folders.push(path);
            } else if is_history(&name) || (name == "history.txt" && !has_edn) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

fn is_history(name: &str) -> bool {
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    ENDINGS.iter().any(|ending| plain.ends_with(ending)) && !OTHER.contains(&plain)
}

/// The names in a folder, each with whether it is a folder itself. What is no UTF-8 is none of our names.
fn entries(folder: &Path) -> Result<Vec<(String, bool)>, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(format!("the folder {} can't be read: {error}", folder.display()))
            .help("check who may read it, or name the files in it")
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(name) = entry.file_name().to_str() {
            entries.push((name.to_owned(), entry.file_type().map_err(failed)?.is_dir()));
        }
    }
    Ok(entries)
}

fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(['*', '?', '[']))
}

/// What a pattern names: `*`, `?` and `[...]` stand for parts of one name, `**` for any number of folders. A folder that it
/// names is searched.
fn matching(argument: &Path) -> Result<BTreeSet<PathBuf>, CommandError> {
    let mut parts: Vec<Part> = Vec::new();
    for component in argument.components() {
        let text = component.as_os_str().to_str().unwrap_or("");
        parts.push(match component {
            Component::Normal(_) if text == "**" => Part::Folders,
            Component::Normal(_) if text.contains(['*', '?', '[']) => {
                Part::Names(Pattern::new(text).map_err(CommandError::new)?, text.starts_with('.'))
            }
            other => Part::Exactly(PathBuf::from(other.as_os_str())),
        });
    }
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![(PathBuf::new(), 0)];
    while let Some((path, at)) = open.pop() {
        if !seen.insert((path.clone(), at)) {
            continue;
        }
        let here = if path.as_os_str().is_empty() { Path::new(".") } else { &path };
        match parts.get(at) {
            None if path.is_dir() => found.extend(below(&path)?),
            None => _ = found.insert(path),
            Some(Part::Exactly(name)) => {
                let next = path.join(name);
                if next.exists() {
                    open.push((next, at + 1));
                }
            }
            Some(Part::Folders) => {
                open.push((path.clone(), at + 1));
                if here.is_dir() {
                    let folders =
                        entries(here)?.into_iter().filter(|(name, is_folder)| *is_folder && !name.starts_with('.'));
                    open.extend(folders.map(|(name, _)| (path.join(name), at)));
                }
            }
            Some(Part::Names(pattern, hidden)) => {
                if here.is_dir() {
                    let fits = |name: &str| (*hidden || !name.starts_with('.')) && pattern.matches(name);
                    let names = entries(here)?.into_iter().filter(|(name, _)| fits(name));
                    open.extend(names.map(|(name, _)| (path.join(name), at + 1)));
                }
            }
        }
    }
    if found.is_empty() {
        return Err(CommandError::new(format!("no file matches {}", argument.display()))
            .help("`*` stands for a part of one name, `**` for any number of folders"));
    }
    Ok(found)
}

enum Part {
    Exactly(PathBuf),
    Names(Pattern, bool),
    Folders,
}
