//! The page: what it says, what it must never do, how big it gets.

use minectl::dashboard;

use crate::fixture;

#[test]
fn every_state_is_drawn_into_files() {
    for (name, site) in fixture::all() {
        let folder = fixture::folder(name);
        let written = dashboard::draw(&site.input(), &folder).unwrap();
        assert_eq!(written, ["index.html", "status.json", "metrics.prom"], "{name}");
    }
}
