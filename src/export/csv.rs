//! CSV that opens safely: UTF-8 with BOM, every field quoted, CRLF (RFC 4180), formulas neutralised.

use super::sheet::{COLUMNS, Cell, exact};
use super::shown;
use crate::ledger::Entry;
use std::io::{self, Write};

/// All columns, one row an entry, as they come.
pub(super) fn write(out: &mut dyn Write, entries: &mut dyn Iterator<Item = Entry>) -> io::Result<()> {
    // Without the mark, Excel reads UTF-8 as the local code page.
    out.write_all(b"\xef\xbb\xbf")?;
    let mut csv = ::csv::WriterBuilder::new()
        .quote_style(::csv::QuoteStyle::Always)
        .terminator(::csv::Terminator::CRLF)
        .from_writer(out);
    csv.write_record(COLUMNS.iter().map(|c| c.name))?;
    for entry in entries {
        for column in COLUMNS {
            match (column.cell)(&entry) {
                Cell::Absent => csv.write_field("")?,
                Cell::Text(text) => csv.write_field(shown::cell(&text).as_bytes())?,
                Cell::Time(time) => csv.write_field(exact(&time))?,
                Cell::Count(n) => csv.write_field(n.to_string())?,
            }
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}
