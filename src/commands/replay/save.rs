//! Writes an interval into a file of its own: the incident, for a colleague, a bug report, or the tests.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::print;
use super::record::{Incident, RecordedRun};
use crate::config::{self, Config};
use crate::error::Error;
use crate::model::{SiteState, core};
use crate::units::UnixSeconds;

/// A file that is being written. It gets its name when it is whole.
pub(super) struct Save {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    is_begun: bool,
}

impl Save {
    /// Begins it with its header. `Err` when the file is there already: nothing is overwritten.
    pub(super) fn begin(
        path: &Path,
        config: &Path,
        cfg: &Config,
        what: Option<&str>,
        (since, until): (UnixSeconds, UnixSeconds),
    ) -> Result<Save, Error> {
        if path.exists() {
            return Err(Error::Usage(format!("{}: is there already, nothing is overwritten", path.display())));
        }
        let text = config::read_text(config)?;
        let text = config::portable(&text, &config::file_name(config)).map_err(Error::Config)?;
        let (begin, end) = (print::local(cfg, since), print::local(cfg, until));
        let what = what.map_or_else(|| format!("{begin} to {end}"), str::to_owned);
        let header = Incident::new(&what, &cfg.site.name, (begin, since), text);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|cause| cannot(path, &cause))?;
        let mut save = Save { path: path.to_owned(), file: BufWriter::new(file), is_begun: false };
        save.line(&header)?;
        Ok(save)
    }

    /// Adds a run. The first needs a state: `state` if that is known, else the one in `lead`, the runs before it.
    pub(super) fn take(
        &mut self,
        run: &RecordedRun,
        state: Option<&SiteState>,
        lead: &[RecordedRun],
    ) -> Result<(), Error> {
        if self.is_begun {
            return self.run(&RecordedRun { state: run.state.clone(), ..run.clone() });
        }
        self.is_begun = true;
        match state {
            Some(state) => self.run(&RecordedRun { state: Some(core(state)), ..run.clone() }),
            None => {
                lead.iter().try_for_each(|earlier| self.run(earlier))?;
                self.run(run)
            }
        }
    }

    fn run(&mut self, run: &RecordedRun) -> Result<(), Error> {
        run.lines().iter().try_for_each(|line| self.line(line))
    }

    fn line(&mut self, line: &impl serde::Serialize) -> Result<(), Error> {
        let written = serde_json::to_writer(&mut self.file, line).map_err(std::io::Error::other);
        written.and_then(|()| self.file.write_all(b"\n")).map_err(|cause| cannot(&self.path, &cause))
    }

    /// Gives the file its name.
    pub(super) fn finish(self) -> Result<(), Error> {
        let path = self.path;
        let file = self.file.into_inner().map_err(|cause| cannot(&path, cause.error()))?;
        file.persist_noclobber(&path).map(drop).map_err(|cause| cannot(&path, &cause.error))
    }
}

fn cannot(path: &Path, cause: &std::io::Error) -> Error {
    Error::Storage(format!("{}: {cause}", path.display()))
}
