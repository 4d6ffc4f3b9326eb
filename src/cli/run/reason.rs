//! Why something is done by hand: asked where a person sits there and has not said it.

use crate::cli::about::AboutArgs;
use crate::cli::exit::Failure;
use crate::cli::world::World;
use std::io::Read as _;

/// Longest answer, in bytes.
const LONGEST: usize = 4096;
/// How often an empty answer is asked again.
const TRIES: u32 = 3;

/// Fills in the reason. In a pipeline nobody is asked: the record says that nobody told.
pub(super) fn ask(world: &mut World, about: &mut AboutArgs) -> Result<(), Failure> {
    let said = about.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty());
    if said || !world.stdin_is_terminal || !world.stderr_is_terminal {
        return Ok(());
    }
    for _ in 0..TRIES {
        world.prompt("Why is this done by hand? It goes into the record: ");
        let Some(answer) = line(world) else { break };
        if !answer.trim().is_empty() {
            about.reason = Some(answer.trim().to_owned());
            return Ok(());
        }
    }
    let help = "say --reason 'why this is done by hand', or type it when asked; nothing was run";
    Err(Failure::failed(anyhow::anyhow!("no reason was given"), help))
}

/// One line that was typed; `None` at the end of the input. Read byte by byte: what follows it is the command's.
fn line(world: &mut World) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut one = [0];
        match world.stdin.read(&mut one) {
            Ok(0) | Err(_) if bytes.is_empty() => return None,
            Ok(0) | Err(_) => break,
            Ok(_) if one == [b'\n'] => break,
            Ok(_) if bytes.len() < LONGEST => bytes.extend(one),
            Ok(_) => {}
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
