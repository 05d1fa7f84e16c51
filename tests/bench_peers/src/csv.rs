//! A file of lines for each day, and the state in a file of its own that is replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Result, Write};
use std::path::Path;
use std::time::Instant;

use super::{DAY, SERIES, Took, event, ms, samples, state};

fn append(path: &Path, line: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(line.as_bytes())?;
    file.sync_data()
}

pub fn run(folder: &Path, now: i64) -> Result<Took> {
    let begin = Instant::now();
    let (place, history) = (folder.join("state.json"), folder.join("history"));
    let remembered = fs::read_to_string(&place).unwrap_or_default();
    fs::create_dir_all(&history)?;
    let load = ms(begin);

    let begin_save = Instant::now();
    let file_of = |day: i64| history.join(format!("{day}.csv"));
    let values: Vec<String> = samples(now).map(|value| format!("{value:.3}")).collect();
    append(&file_of(now / DAY), &format!("{now},{}\n", values.join(",")))?;
    if let Some(text) = event(now) {
        append(&folder.join("events.txt"), &format!("{now} {text}\n"))?;
    }
    let fresh = folder.join("state.new");
    let mut file = File::create(&fresh)?;
    file.write_all(state().as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, &place)?;
    File::open(folder)?.sync_all()?;
    let save = ms(begin_save);

    let begin_read = Instant::now();
    let mut day = vec![Vec::new(); SERIES];
    for file in [file_of(now / DAY - 1), file_of(now / DAY)] {
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            let mut fields = line.split(',');
            let at: i64 = fields.next().unwrap().parse().unwrap();
            if at >= now - DAY {
                for (series, field) in day.iter_mut().zip(fields) {
                    series.push((at, field.parse::<f64>().unwrap()));
                }
            }
        }
    }
    let read = ms(begin_read);
    assert!(remembered.is_empty() || remembered == state());
    let points = day.iter().map(Vec::len).sum();
    Ok(Took { all: ms(begin), load, save, read, points })
}
