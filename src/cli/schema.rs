//! `vouchsafe schema` and `vouchsafe completions`: what programs and shells want to know.

use super::exit::{Answer, Exit, Failure};
use super::words;
use super::world::World;
use crate::record::{KINDS, Kind, json};

/// Print the JSON Schema of a record version
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe schema run/v1 > run-v1.schema.json
  vouchsafe schema --list")]
pub(crate) struct Args {
    /// Kind and major version, like run/v1
    #[arg(value_name = "KIND", default_value = "run/v1")]
    kind: String,
    /// Name every record version that this program reads
    #[arg(long)]
    list: bool,
    /// With --list: one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Print a completion script
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  vouchsafe completions bash > ~/.local/share/bash-completion/completions/vouchsafe")]
pub(crate) struct CompletionArgs {
    /// bash, zsh, fish, elvish or powershell
    shell: clap_complete::Shell,
}

/// The schema as it is committed in `schema/`: indented, with its identity.
pub(crate) fn text(kind: &Kind) -> serde_json::Result<String> {
    let mut schema = (kind.schema)();
    let id = format!("{}/schema/{}.json", kind.predicate_type(), crate::record::SCHEMA_VERSION);
    schema.insert("$id".to_owned(), id.into());
    json::to_string_pretty(&schema)
}

/// Runs `schema`.
pub(crate) fn run(world: &mut World, args: &Args) -> Answer {
    if args.list {
        for kind in KINDS {
            let line = if args.json {
                let line =
                    serde_json::json!({"kind": kind.name, "major": kind.major, "predicateType": kind.predicate_type()});
                json::to_string(&line)?
            } else {
                format!("{}/v{}  {}", kind.name, kind.major, kind.predicate_type())
            };
            words::writeln_quietly(world, &line)?;
        }
        return Ok(Exit::Done);
    }
    let kind = KINDS.iter().find(|k| args.kind == format!("{}/v{}", k.name, k.major));
    let kind = kind.ok_or_else(|| {
        Failure::usage(format!("no record version `{}`", args.kind), "`vouchsafe schema --list` names them all")
    })?;
    words::writeln_quietly(world, &text(kind)?)?;
    Ok(Exit::Done)
}

/// Runs `completions`.
pub(crate) fn completions(world: &mut World, args: &CompletionArgs, mut tree: clap::Command) -> Answer {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "vouchsafe", &mut script);
    words::writeln_quietly(world, String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regenerate with `cargo run -- schema run/v1 > schema/run-v1.schema.json`.
    #[test]
    fn the_committed_schema_is_what_the_types_say() {
        for kind in KINDS {
            let file = format!("{}/schema/{}-v{}.schema.json", env!("CARGO_MANIFEST_DIR"), kind.name, kind.major);
            let committed = std::fs::read_to_string(&file).unwrap_or_default();
            assert_eq!(committed.trim_end(), text(kind).unwrap(), "{file} is out of date");
        }
    }
}
