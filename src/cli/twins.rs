//! Every flag has a `VOUCHSAFE_*` twin and may have a default in `vouchsafe.toml`: flag, then variable, then file.
//!
//! Both are turned into words of the command line before clap reads it, so there is one parser and one set of rules.

use super::exit::Failure;
use super::world::World;
use clap::{ArgAction, Command};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the file with a repository's defaults.
pub(crate) const FILE: &str = "vouchsafe.toml";

/// Where the value of a flag came from when it was not on the command line.
pub(crate) type Sources = BTreeMap<String, Source>;

/// A place outside the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An environment variable, by name.
    Variable(String),
    /// `vouchsafe.toml`.
    File,
}

/// The name of a flag's twin.
pub(crate) fn variable(long: &str) -> String {
    format!("VOUCHSAFE_{}", long.replace('-', "_").to_uppercase())
}

/// Says each flag's twin in its help.
pub(crate) fn document(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some(long) if !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version) => {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let note = format!("{help} [env: {}]", variable(long));
            arg.help(note)
        }
        _ => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    names.into_iter().fold(command, |c, name| c.mut_subcommand(name, document))
}

/// The command line with twins and defaults put in where it says nothing itself.
pub(crate) fn fill(world: &World, root: &Command) -> Result<(Vec<OsString>, Sources), Failure> {
    let mut words = world.args.clone();
    let mut sources = Sources::new();
    let mut command = root;
    let mut path = Vec::new();
    while let Some(next) = words.get(1 + path.len()).and_then(|w| w.to_str()) {
        let Some(sub) = command.find_subcommand(next) else { break };
        path.push(sub.get_name().to_owned());
        command = sub;
    }
    if path.is_empty() {
        return Ok((words, sources));
    }
    let file = read_file(world, root, path.first().map_or("", String::as_str))?;
    let told = command.get_arguments().filter_map(|a| a.get_long());
    if file.is_empty() && !told.into_iter().any(|long| world.var(&variable(long)).is_some()) {
        return Ok((words, sources));
    }
    let said = root.clone().ignore_errors(true).try_get_matches_from(&words).ok();
    let said = said.as_ref().map(|m| {
        let mut m = m;
        while let Some((_, sub)) = m.subcommand() {
            m = sub;
        }
        m
    });
    let mut extra: Vec<OsString> = Vec::new();
    for arg in command.get_arguments() {
        let Some(long) = arg.get_long() else { continue };
        let given = said.is_some_and(|m| {
            m.try_contains_id(arg.get_id().as_str()).is_ok()
                && m.value_source(arg.get_id().as_str()) == Some(clap::parser::ValueSource::CommandLine)
        });
        if given || matches!(arg.get_action(), ArgAction::Help | ArgAction::Version) {
            continue;
        }
        let name = variable(long);
        let (values, source) = match (world.var(&name), file.get(long)) {
            (Some(value), _) if matches!(arg.get_action(), ArgAction::Append) => {
                let lines = value.lines().map(str::trim).filter(|l| !l.is_empty());
                (lines.map(str::to_owned).collect(), Source::Variable(name))
            }
            (Some(value), _) => (vec![value.to_owned()], Source::Variable(name)),
            (None, Some(values)) => (values.clone(), Source::File),
            (None, None) => continue,
        };
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            match values.first().map(|v| v.to_lowercase()).as_deref() {
                Some("true" | "1" | "yes" | "on") => extra.push(format!("--{long}").into()),
                Some("false" | "0" | "no" | "off") | None => continue,
                Some(other) => {
                    return Err(Failure::usage(
                        format!("`{other}` from {} is neither true nor false", said_by(&source, long)),
                        format!("set it to true or false, or leave it out and say --{long}"),
                    ));
                }
            }
        } else {
            extra.extend(values.iter().map(|v| OsString::from(format!("--{long}={v}"))));
        }
        sources.insert(long.to_owned(), source);
    }
    let at = 1 + path.len();
    words.splice(at..at, extra);
    Ok((words, sources))
}

/// Names a source for people.
pub(crate) fn said_by(source: &Source, long: &str) -> String {
    match source {
        Source::Variable(name) => name.clone(),
        Source::File => format!("`{long}` in {FILE}"),
    }
}

/// `vouchsafe.toml` of the working directory or the nearest folder above it, not above the repository's root.
pub(crate) fn find_file(cwd: &Path) -> Option<PathBuf> {
    for dir in cwd.ancestors() {
        let file = dir.join(FILE);
        if file.is_file() {
            return Some(file);
        }
        if dir.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Defaults for `command`: the file's top level, then its `[command]` table over it.
fn read_file(world: &World, root: &Command, command: &str) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let Some(path) = find_file(&world.cwd) else { return Ok(BTreeMap::new()) };
    let wrong = |what: String| {
        Failure::usage(
            format!("could not use `{}`: {what}", path.display()),
            "keys are the long flags without the dashes, at the top level or in a table named like the command",
        )
    };
    let text = std::fs::read_to_string(&path).map_err(|e| wrong(e.to_string()))?;
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.to_string()))?;
    let knows = |c: &Command, key: &str| c.get_arguments().any(|a| a.get_long() == Some(key));
    let mut values = BTreeMap::new();
    for (key, value) in &table {
        match value {
            toml::Value::Table(inner) => {
                let sub = root.find_subcommand(key).ok_or_else(|| wrong(format!("there is no command `{key}`")))?;
                for (flag, value) in inner {
                    if !knows(sub, flag) {
                        return Err(wrong(format!("`{key}` has no flag `--{flag}`")));
                    }
                    if key == command {
                        values.insert(flag.clone(), plain(value).map_err(|e| wrong(format!("`{key}.{flag}` {e}")))?);
                    }
                }
            }
            value => {
                if !root.get_subcommands().any(|c| knows(c, key)) {
                    return Err(wrong(format!("no command has a flag `--{key}`")));
                }
                let value = plain(value).map_err(|e| wrong(format!("`{key}` {e}")))?;
                values.entry(key.clone()).or_insert(value);
            }
        }
    }
    Ok(values)
}

fn plain(value: &toml::Value) -> Result<Vec<String>, &'static str> {
    let one = |v: &toml::Value| match v {
        toml::Value::String(s) => Ok(s.clone()),
        toml::Value::Integer(n) => Ok(n.to_string()),
        toml::Value::Boolean(b) => Ok(b.to_string()),
        _ => Err("must be text, a whole number, true or false, or a list of these"),
    };
    match value {
        toml::Value::Array(values) => values.iter().map(one).collect(),
        value => Ok(vec![one(value)?]),
    }
}
