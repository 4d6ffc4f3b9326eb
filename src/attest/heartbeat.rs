//! "Still here, so many records": a leaf without a record, so that silence is a statement.

use super::append::{AppendError, Appended, Writer, append};
use crate::ledger::head::Head;
use crate::ledger::leaf::Said;

/// Appends a heartbeat, said by the run `by`, as in `github-4711-1`.
pub(crate) fn heartbeat(writer: &Writer, environment: &str, by: String) -> Result<Appended, AppendError> {
    let head = Head::read(writer.vault, writer.trust, environment)?;
    // The append fills in how many records there are, because it knows what it builds on.
    append(writer, head, vec![Said::Heartbeat { records: 0, by }])
}
