//! The transitions of the machines as data. Each machine names the row it goes by, the event says it, and the table in
//! the machine's doc comment is this data (a test compares the two).

use super::{alarms, climate, demand, drill, fans, miners, signal};

/// One row of a machine's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The state before; for the fans, where the miners stand.
    pub from: &'static str,
    /// The state after; for the fans, how many are wanted.
    pub to: &'static str,
    /// The rule.
    pub when: &'static str,
}

/// A machine's transitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// The machine: its file is `src/decide/<machine>.rs`.
    pub machine: &'static str,
    /// The headings of the three columns.
    pub head: [&'static str; 3],
    /// The rows.
    pub rows: &'static [Row],
}

impl Table {
    /// The table as the lines of Markdown that stand in the machine's doc comment.
    pub fn markdown(&self) -> Vec<String> {
        let line = |cells: [&str; 3]| format!("| {} |", cells.join(" | "));
        let mut lines = vec![line(self.head), line(["---"; 3])];
        lines.extend(self.rows.iter().map(|row| line([row.from, row.to, row.when])));
        lines
    }
}

/// The tables of all machines, in the order of a pass.
pub fn tables() -> [Table; 7] {
    let table = |machine, head, rows| Table { machine, head, rows };
    let states = ["from", "to", "when"];
    [
        table("signal", states, signal::TABLE),
        table("climate", states, climate::TABLE),
        table("demand", ["reason", "begins when", "ends when"], demand::TABLE),
        table("miners", states, miners::TABLE),
        table("drill", states, drill::TABLE),
        table("fans", ["miners", "fans wanted", "rule"], fans::TABLE),
        table("alarms", states, alarms::TABLE),
    ]
}

/// One constant for each row, and all of them together as `TABLE`.
macro_rules! table {
    ($($name:ident = $from:literal, $to:literal, $when:literal;)+) => {
        $(const $name: $crate::decide::table::Row =
            $crate::decide::table::Row { from: $from, to: $to, when: $when };)+
        /// Every row of this machine.
        pub(super) const TABLE: &[$crate::decide::table::Row] = &[$($name),+];
    };
}
pub(super) use table;
