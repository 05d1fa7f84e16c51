//! Drills as properties: whatever happens amid one, no interlock is broken, the miners go off as early as without it, and
//! once all is well the mine is as if there had been none.

use minectl::model::*;
use minectl::units::*;
use proptest::prelude::*;

use crate::scene::Scene;
use crate::stories::cases;
use crate::stories_check::Witness;
use crate::stories_site::{Site, site};
use crate::stories_steps::{Step, apply, drill, heal, step};

/// A site whose mine runs and is settled; `None` where it does not come to that.
fn running(site: &Site) -> Option<Scene> {
    let mut scene = Scene::with(Site { observe: false, ..site.clone() }.config());
    scene.signal = Some(site.numbers().1);
    scene.intake_c = Some(site.mild_c());
    scene.foreman_tells_modes = true;
    scene.minutes(60);
    (scene.phase() == "running" && scene.state.demand.reasons.is_empty()).then_some(scene)
}

/// A step that is no override, so that drills live for a while, and no hand that switches miners or takes the memory away:
/// what a person switched off stays off, drill or not.
fn quiet_step() -> impl Strategy<Value = Step> {
    let other = step().prop_filter("ends a drill, or switches by hand", |step| {
        !matches!(step, Step::Set(_) | Step::HandOnMiners(_) | Step::HandOnOutlet(..) | Step::LostState)
    });
    prop_oneof![1 => other, 3 => (5_u64..60).prop_map(Step::Wait)]
}

#[derive(Debug, Clone)]
struct Story {
    site: Site,
    order: DrillOrder,
    steps: Vec<Step>,
}

fn story() -> impl Strategy<Value = Story> {
    let steps = prop::collection::vec(quiet_step(), 10..80);
    (site(), drill(), steps).prop_map(|(site, order, steps)| Story { site, order, steps })
}

fn hashing(scene: &Scene) -> usize {
    scene.miner_ids().filter(|miner| scene.is_hashing(*miner)).count()
}

fn must_be_off(scene: &Scene) -> bool {
    !scene.state.demand.reasons.is_empty()
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_story_amid_a_drill_breaks_an_interlock_and_afterwards_the_mine_runs_as_before(story in story()) {
        let Some(mut scene) = running(&story.site) else { return Ok(()) };
        let mut witness = Witness::new(&scene);
        // The witness sees the fans and the watts for a while first.
        for _ in 0..5 {
            scene.wait(20);
            witness.pass(&mut scene)?;
        }
        scene.set(Setting::Drill(story.order.clone()));
        for step in &story.steps {
            apply(&mut scene, step);
            witness.note(&mut scene, step)?;
            scene.wait(7);
            witness.pass(&mut scene)?;
        }
        heal(&mut scene, story.site.numbers().1, story.site.mild_c());
        let site = &story.site;
        let longest = site.min_off.max(site.resume_after) + u64::from(site.groups) * site.group_limit + 7200;
        for _ in 0..longest.div_ceil(120) {
            scene.run();
        }
        prop_assert_eq!(scene.phase(), "running");
        prop_assert!(scene.state.drill.running.is_none(), "{:?}", scene.state.drill.running);
        prop_assert_eq!(hashing(&scene), scene.miner_ids().count(), "{:?}", scene.state.miners);
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn a_drill_delays_no_shedding(
        site in site(),
        order in drill(),
        waits in prop::collection::vec(5_u64..60, 1..40),
        cause in 0..3,
    ) {
        let Some(mut with) = running(&site) else { return Ok(()) };
        let Some(mut without) = running(&site) else { return Ok(()) };
        with.set(Setting::Drill(order));
        for wait in waits {
            for scene in [&mut with, &mut without] {
                scene.wait(wait);
                scene.pass();
            }
        }
        for scene in [&mut with, &mut without] {
            match cause {
                0 => scene.signal = Some(site.numbers().0),
                1 => scene.intake_c = Some(46.0),
                _ => scene.smoke = true,
            }
        }
        let mut called = false;
        for _ in 0..60 {
            let all = hashing(&without);
            for scene in [&mut with, &mut without] {
                scene.wait(20);
                scene.pass();
            }
            prop_assert_eq!(must_be_off(&with), must_be_off(&without));
            called |= must_be_off(&with);
            prop_assert!(hashing(&with) <= hashing(&without), "{} > {}", hashing(&with), hashing(&without));
            if called && all > 0 && hashing(&without) < all {
                prop_assert!(with.commands.iter().all(|command| !command.starts_miners()));
            }
            if called {
                prop_assert!(with.state.drill.running.as_ref().is_none_or(|d| d.step == DrillStep::Messages));
            }
        }
        prop_assert!(called);
        let since = |scene: &Scene| scene.state.miners.proven_off.map(|at| at.up);
        prop_assert!(since(&with).unwrap_or(Seconds(u64::MAX)) <= since(&without).unwrap_or(Seconds(u64::MAX)));
    }
}
