//! What people ask of the ledger, as text: one table of renderers over one list of columns.

mod about;
mod csv;
pub(crate) mod figures;
mod json_lines;
pub(crate) mod said;
pub(crate) mod sheet;
pub(crate) mod shown;
mod table;

use crate::ledger::Entry;
use std::io::{self, Write};

/// A way to write entries down.
pub(crate) struct Renderer {
    /// The word after `--format`.
    pub(crate) name: &'static str,
    /// Writes the entries, which come one by one so that memory stays bounded where the format allows.
    pub(crate) write: fn(&mut dyn Write, &mut dyn Iterator<Item = Entry>) -> io::Result<()>,
}

/// TABLE of renderers.
pub(crate) const RENDERERS: &[Renderer] = &[
    Renderer { name: "table", write: table::write },
    Renderer { name: "csv", write: csv::write },
    Renderer { name: "json", write: json_lines::write },
];
