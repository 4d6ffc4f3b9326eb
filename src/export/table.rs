//! A table for a person at a terminal: the short columns only, and every name neutralised.

use super::sheet::{COLUMNS, Cell};
use super::shown;
use crate::ledger::Entry;
use std::io::{self, Write};

/// Commits and run ids are cut for reading; `--format csv` and `json` have them whole.
const WIDEST: usize = 14;

/// The short columns, one row an entry.
pub(super) fn write(out: &mut dyn Write, entries: &mut dyn Iterator<Item = Entry>) -> io::Result<()> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let columns: Vec<_> = COLUMNS.iter().filter(|c| c.short).collect();
    table.set_header(columns.iter().map(|c| c.name));
    for entry in entries {
        table.add_row(columns.iter().map(|column| match (column.cell)(&entry) {
            Cell::Absent => "-".to_owned(),
            Cell::Text(text) => cut(&shown::line(&text)),
            Cell::Time(time) => time.format("%Y-%m-%d %H:%M:%SZ").to_string(),
            Cell::Count(n) => n.to_string(),
        }));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}
