//! Holds the shape of the repository: who may import whom, how long a file may be, and that code, configuration and
//! documents name the same things. It reads files only; each failure says the way out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::string_slice)]

#[path = "layout/documents.rs"]
mod documents;
#[path = "layout/files.rs"]
mod files;
#[path = "layout/floors.rs"]
mod floors;
#[path = "layout/repository.rs"]
mod repository;
#[path = "layout/security.rs"]
mod security;
