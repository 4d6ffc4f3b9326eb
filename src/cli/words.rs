//! How the program talks: errors with their cause and the way out, warnings, annotations in a CI log.

use super::exit::{Exit, Failure};
use super::world::World;
use crate::export::shown;
use chrono::TimeDelta;

/// Tells a failure: what, why, and what to do next.
pub(crate) fn tell(world: &mut World, failure: &Failure) {
    if failure.exit == Exit::Done {
        return;
    }
    let text = shown::lines(&format!("{:#}", failure.error));
    world.say(&format!("error: {text}"));
    if let Some(help) = &failure.help {
        world.say(&format!("help: {}", shown::lines(help)));
    }
    annotate(world, "error", &text);
}

/// Tells what the parser of the command line has against it: `text` is its own words around ours.
pub(crate) fn usage(world: &mut World, text: &str) {
    let text = shown::lines(text.trim_end());
    world.say(&text);
    let first = text.lines().next().unwrap_or_default();
    annotate(world, "error", first.trim_start_matches("error: "));
}

/// GitHub shows ten annotations of a level a step (GitHub docs, "Workflow commands"), and nobody reads more.
const ANNOTATIONS: usize = 10;

/// One warning a line.
pub(crate) fn warn(world: &mut World, warnings: &[String]) {
    for (n, warning) in warnings.iter().enumerate() {
        let text = shown::line(warning).into_owned();
        world.say(&format!("warning: {text}"));
        if n < ANNOTATIONS {
            annotate(world, "warning", &text);
        }
    }
}

/// What a person should look at although nothing is wrong with the record: an annotation where there are some.
pub(crate) fn attend(world: &mut World, all: &[String]) {
    for text in all {
        let text = shown::line(text).into_owned();
        world.say(&format!("note: {text}"));
        annotate(world, "warning", &text);
    }
}

/// What stands among the records and is none: passed over, and said.
pub(crate) fn strangers(world: &mut World, strangers: &crate::vault::Strangers) {
    if strangers.count > 0 {
        let names = strangers.names.join(", ");
        let more = strangers.count.saturating_sub(strangers.names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        warn(world, &[format!("passed over, because they are no addresses of records: {names}{more}")]);
    }
}

/// Repeats a message as an annotation where GitHub's runner (and its relatives) would show it beside the run.
///
/// Workflow commands: `%`, CR and LF are escaped, so that no name of others becomes a command of its own.
fn annotate(world: &mut World, level: &str, text: &str) {
    if world.var("GITHUB_ACTIONS") == Some("true") {
        let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        world.command(&format!("::{level} title=vouchsafe::{text}"));
    }
}

/// A line of JSON on standard output.
pub(crate) fn json<T: serde::Serialize + ?Sized>(world: &mut World, value: &T) -> anyhow::Result<()> {
    let text = crate::record::json::to_string(value)?;
    writeln_quietly(world, &text)
}

/// A line on standard output. A reader that went away (`| head`) is not an error.
pub(crate) fn writeln_quietly(world: &mut World, text: &str) -> anyhow::Result<()> {
    line(&mut world.stdout, text)
}

/// The same for who has only the stream.
pub(crate) fn line(stdout: &mut dyn std::io::Write, text: &str) -> anyhow::Result<()> {
    match writeln!(stdout, "{text}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(anyhow::anyhow!(e).context("could not write the answer"))
        }
        _ => Ok(()),
    }
}

/// `90s`, `15m`, `2h`, `1d`; a bare `0`.
pub(crate) fn time(text: &str) -> Result<TimeDelta, String> {
    let (number, unit) = text.split_at(text.bytes().take_while(u8::is_ascii_digit).count());
    let seconds = match unit {
        "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        "" if number == "0" => Some(0),
        _ => None,
    };
    let n: Option<i64> = number.parse().ok();
    let time = n.zip(seconds).and_then(|(n, s)| n.checked_mul(s)).and_then(TimeDelta::try_seconds);
    time.ok_or_else(|| "say a number and s, m, h or d, as in 15m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_period_is_a_number_and_a_unit() {
        for (text, seconds) in [("0", 0), ("0s", 0), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86_400)] {
            assert_eq!(time(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for bad in ["", "15", "m", "-1m", "1.5h", "99999999999999999d", "1w", "15mo"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
