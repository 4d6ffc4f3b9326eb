//! One JSON object a line: every column under its own name, exact values, absent ones left out.

use super::sheet::{COLUMNS, Cell, exact};
use crate::ledger::Entry;
use crate::record::json;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// The entry as one object.
pub(crate) fn object(entry: &Entry) -> Map<String, Value> {
    let cells = COLUMNS.iter().filter_map(|column| match (column.cell)(entry) {
        Cell::Absent => None,
        Cell::Text(text) => Some((column.name.to_owned(), Value::from(text))),
        Cell::Time(time) => Some((column.name.to_owned(), Value::from(exact(&time)))),
        Cell::Count(n) => Some((column.name.to_owned(), Value::from(n))),
    });
    cells.collect()
}

/// All columns, one line an entry, as they come.
pub(super) fn write(out: &mut dyn Write, entries: &mut dyn Iterator<Item = Entry>) -> io::Result<()> {
    for entry in entries {
        out.write_all(&json::to_vec(&object(&entry))?)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
