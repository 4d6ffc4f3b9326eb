//! `vouchsafe man`: the manual pages, from the same tree of commands that `--help` prints.

use super::exit::{Answer, Exit};
use super::words;
use super::world::World;
use anyhow::Context as _;
use chrono::DateTime;
use clap_mangen::Man;
use std::path::PathBuf;

/// Print the manual page of the program, or write a page a command into a folder
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  vouchsafe man > vouchsafe.1
  vouchsafe man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Folder for the pages, made if it is not there; pages that stand there are replaced
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs `man`.
pub(crate) fn run(world: &mut World, args: &Args, mut tree: clap::Command) -> Answer {
    tree.build();
    let date = day(world);
    let Some(dir) = &args.dir else {
        words::writeln_quietly(world, page(tree, &date)?.trim_end())?;
        return Ok(Exit::Done);
    };
    let dir = world.at(dir);
    std::fs::create_dir_all(&dir).with_context(|| format!("could not make the folder `{}`", dir.display()))?;
    let mut commands = vec![tree];
    let mut count = 0;
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|c| !c.is_hide_set()).cloned());
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        let file = dir.join(format!("{name}.1"));
        std::fs::write(&file, page(command, &date)?)
            .with_context(|| format!("could not write the page `{}`", file.display()))?;
        count += 1;
    }
    world.say(&format!("wrote {count} pages into {}", dir.display()));
    Ok(Exit::Done)
}

/// The day that the pages carry: `SOURCE_DATE_EPOCH` (reproducible-builds.org) where it is set, so that a release that is
/// built twice has the same bytes; today otherwise.
fn day(world: &World) -> String {
    let set = world.var("SOURCE_DATE_EPOCH").and_then(|s| s.parse().ok()).and_then(|s| DateTime::from_timestamp(s, 0));
    set.unwrap_or_else(|| (world.now)()).format("%Y-%m-%d").to_string()
}

/// One page. `clap_mangen` runs the lines of examples together, so what follows the help is set by [`after`].
fn page(command: clap::Command, date: &str) -> anyhow::Result<String> {
    let after_help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let (arguments, subcommands) = (command.get_arguments().count() != 0, command.has_subcommands());
    let source = format!("vouchsafe {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).date(date).source(source).manual("vouchsafe");
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    if arguments {
        man.render_options_section(&mut bytes)?;
    }
    if subcommands {
        man.render_subcommands_section(&mut bytes)?;
    }
    // An empty line between two breaks is one break too many for mandoc, as are spaces at the end of a line.
    let text = String::from_utf8_lossy(&bytes).replace("\n.br\n\n.br\n", "\n.sp\n");
    Ok(text.lines().map(|l| l.trim_end().to_owned() + "\n").collect::<String>() + &after(&after_help))
}

/// What stands under the options: a section for each heading, indented lines as they are, other lines filled.
fn after(help: &str) -> String {
    let mut roff = String::new();
    let mut fresh = true;
    for line in help.lines() {
        if let Some(heading) = line.strip_suffix(':') {
            roff += &format!(".SH {}\n", heading.to_uppercase());
        } else if let Some(codes) = line.strip_prefix("Exit codes: ") {
            roff += &format!(".SH EXIT STATUS\n{}\n", text(codes));
        } else if let Some(example) = line.strip_prefix("  ") {
            roff += &format!(".RS 4\n.nf\n{}\n.fi\n.RE\n", text(example));
        } else if !line.is_empty() {
            roff += if fresh { ".PP\n" } else { "" };
            roff += &format!("{}\n", text(line));
        }
        fresh = line.is_empty() || line.starts_with(' ');
    }
    roff.replace(".fi\n.RE\n.RS 4\n.nf\n", "")
}

/// Text that roff shows as it is: no escapes, no requests, and a minus that can be copied (groff_char(7)).
fn text(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    let first = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
    format!("{first}{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_help_becomes_sections() {
        let help = "Examples:\n  vouchsafe list -e a\\b\n  .x\n\nExit codes: 0 fit · 1 not\nat all\n\nA line.";
        let roff = ".SH EXAMPLES\n.RS 4\n.nf\nvouchsafe list \\-e a\\eb\n\\&.x\n.fi\n.RE\n\
                    .SH EXIT STATUS\n0 fit · 1 not\nat all\n.PP\nA line.\n";
        assert_eq!(after(help), roff);
    }
}
