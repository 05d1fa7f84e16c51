//! SQLite with its usual journal, synchronous=FULL.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, Result, params, params_from_iter};

use super::{DAY, SERIES, Took, event, ms, samples, state};

fn open(file: &Path) -> Result<Connection> {
    let db = Connection::open(file)?;
    db.pragma_update(None, "synchronous", "full")?;
    Ok(db)
}

fn columns(each: impl Fn(usize) -> String) -> String {
    (0..SERIES).map(each).collect::<Vec<_>>().join(", ")
}

/// One run. Opened twice, as minectl does: it holds no database while it reads devices.
pub fn run(file: &Path, now: i64) -> Result<Took> {
    let begin = Instant::now();
    let db = open(file)?;
    db.execute_batch(&format!(
        "create table if not exists state (id integer primary key, value text);
         create table if not exists events (id integer primary key, at integer, value text);
         create table if not exists history (at integer primary key, {});",
        columns(|n| format!("s{n} real"))
    ))?;
    let texts = |query: &str| -> Result<Vec<String>> { db.prepare(query)?.query_map([], |row| row.get(0))?.collect() };
    let remembered =
        texts("select value from state")?.len() + texts("select value from events order by id desc limit 60")?.len();
    db.close().map_err(|(_, error)| error)?;
    let load = ms(begin);

    let begin_save = Instant::now();
    let mut db = open(file)?;
    let saving = db.transaction()?;
    saving.execute("insert or replace into state values (1, ?)", params![state()])?;
    if let Some(text) = event(now) {
        saving.execute("insert into events (at, value) values (?, ?)", params![now, text])?;
        saving.execute("delete from events where at < ?", params![now - 7 * DAY])?;
    }
    let values = std::iter::once(now as f64).chain(samples(now));
    saving.execute(
        &format!("insert into history values (?, {})", columns(|_| "?".to_owned())),
        params_from_iter(values),
    )?;
    saving.commit()?;
    let save = ms(begin_save);

    let begin_read = Instant::now();
    let mut day = vec![Vec::new(); SERIES];
    let mut select = db.prepare("select * from history where at >= ?")?;
    let mut rows = select.query(params![now - DAY])?;
    while let Some(row) = rows.next()? {
        let at: i64 = row.get(0)?;
        for (n, series) in day.iter_mut().enumerate() {
            series.push((at, row.get::<_, f64>(n + 1)?));
        }
    }
    let read = ms(begin_read);
    drop(rows);
    drop(select);
    db.close().map_err(|(_, error)| error)?;
    let points: usize = day.iter().map(Vec::len).sum();
    assert!(remembered <= 61);
    Ok(Took { all: ms(begin), load, save, read, points })
}
