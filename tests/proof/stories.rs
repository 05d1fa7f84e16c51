//! The interlocks as properties: random stories of signal, weather, faults, hands and reboots on random sites; after every
//! pass none of I1 to I10 may be broken. A failing story shrinks to a short list of steps.
//!
//! `PROPTEST_CASES=20000 scripts/prove.sh stories` plays more of them.

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError};

use crate::scene::Scene;
use crate::stories_check::Witness;
use crate::stories_site::{Site, site};
use crate::stories_steps::{Step, apply, heal, step};

/// So many cases, or as many as the environment's `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    // The usual run is the same each time, so that a build never fails by chance; `PROPTEST_CASES` plays other stories.
    let usual = ProptestConfig::default();
    let rng_seed = if std::env::var_os("PROPTEST_CASES").is_some() { usual.rng_seed } else { RngSeed::Fixed(1) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, max_shrink_iters: 20_000, ..usual }
}

/// A site and what happens to it.
#[derive(Clone)]
struct Story {
    site: Site,
    steps: Vec<Step>,
}

impl std::fmt::Debug for Story {
    /// The site on one line, then a line for each step.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(|step| format!("    {step:?},")).collect();
        let site = format!("{:?}", self.site);
        write!(f, "{site}\n{}", steps.join("\n"))
    }
}

fn story(steps: usize) -> impl Strategy<Value = Story> {
    (site(), prop::collection::vec(step(), 1..steps)).prop_map(|(site, steps)| Story { site, steps })
}

/// Plays a story, with every check after every pass.
fn play(story: &Story) -> Result<Scene, TestCaseError> {
    let mut scene = Scene::with(story.site.config());
    let mut witness = Witness::new(&scene);
    for step in &story.steps {
        apply(&mut scene, step);
        witness.note(&mut scene, step)?;
        scene.wait(7);
        witness.pass(&mut scene)?;
    }
    Ok(scene)
}

/// What a run of the program at once shows of the mine.
fn shown(scene: &Scene) -> String {
    let reasons: Vec<String> = scene.reasons.iter().map(|why| format!("{}: {}", why.subject, why.text)).collect();
    let fans = scene.state.fans.iter().map(|(n, fan)| {
        format!("fan {n}: wanted {} relay {:?} proven {:?} fault {:?}", fan.wanted, fan.relay, fan.proven, fan.fault)
    });
    let lines: Vec<String> = reasons.into_iter().chain(fans).collect();
    format!("{} with {:.0} W\n{}", scene.phase(), scene.watts(), lines.join("\n"))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn no_story_breaks_an_interlock(story in story(100)) {
        play(&story)?;
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn from_every_story_the_mine_comes_back_once_all_is_well(story in story(60)) {
        let Story { site, steps } = &story;
        let mut scene = Scene::with(Site { observe: false, ..site.clone() }.config());
        for step in steps {
            apply(&mut scene, step);
            scene.wait(7);
            scene.pass();
        }
        heal(&mut scene, site.numbers().1, site.mild_c());
        // The longest way: off for its time, then group by group without a sign of any.
        let longest = site.min_off.max(site.resume_after) + u64::from(site.groups) * site.group_limit + 3600;
        let mut steady = 0;
        for _ in 0..longest.div_ceil(120) {
            scene.run();
            steady = if scene.phase() == "running" { steady + 1 } else { 0 };
            if steady >= 10 {
                break;
            }
        }
        prop_assert!(steady >= 10, "{}", shown(&scene));
        prop_assert!(scene.state.demand.reasons.is_empty());
        prop_assert!(scene.fans_on.len() >= usize::from(site.min_running), "{}", shown(&scene));
    }
}
