//! The page is read once more before what it says changes anything.

use minectl::decide::{needs_second_look, settled};
use minectl::model::*;

use crate::scene::{Scene, fault};

fn reading(number: f64) -> Reading<SignalReading> {
    let text = format!("{number}");
    Ok(SignalReading { hash: text.clone(), text, value: SignalValue::Number(number), stamp: None })
}

fn unread() -> Reading<SignalReading> {
    Err(fault("signal"))
}

impl Scene {
    fn looks_again_at(&self, number: f64) -> bool {
        needs_second_look(&self.cfg, &self.state, &reading(number))
    }

    /// A pass in which the page says these two, one after the other, as the run reads it.
    fn read_twice(&mut self, first: Reading<SignalReading>, second: Reading<SignalReading>) {
        assert!(needs_second_look(&self.cfg, &self.state, &first), "no second look");
        self.quirks.signal = Some(settled(&self.cfg, first, second));
        self.pass();
        self.quirks.signal = None;
    }
}

#[test]
fn while_running_a_reading_from_the_threshold_on_is_looked_at_again_and_one_below_is_not() {
    let scene = Scene::running();
    assert!(scene.looks_again_at(310.0));
    assert!(!scene.looks_again_at(309.9), "between the thresholds nothing changes");
    assert!(!scene.looks_again_at(250.0));
    assert!(!needs_second_look(&scene.cfg, &scene.state, &unread()), "what cannot be read is the next run's");
}

#[test]
fn while_curtailed_the_first_reading_below_the_lower_threshold_is_looked_at_again_and_the_next_are_not() {
    let mut scene = Scene::curtailed();
    assert!(!scene.looks_again_at(320.0));
    assert!(!scene.looks_again_at(300.0), "not yet below `resume_below`");
    assert!(scene.looks_again_at(299.9));
    scene.read_twice(reading(299.0), reading(299.0));
    assert_eq!(scene.state.signal.run_readings, 1, "two looks are one reading");
    assert!(!scene.looks_again_at(299.0));
}

#[test]
fn a_first_reading_ever_is_looked_at_again_whatever_it_says() {
    let scene = Scene::new();
    assert!(scene.looks_again_at(250.0) && scene.looks_again_at(305.0) && scene.looks_again_at(320.0));
}

#[test]
fn under_a_hand_it_is_the_pages_own_last_word_that_would_change() {
    let mut scene = Scene::running();
    scene.set(Setting::Signal(Level::Curtail));
    scene.signal = Some(250.0);
    scene.pass();
    assert_eq!(scene.state.signal.level, Level::Curtail);
    assert!(scene.looks_again_at(320.0), "the page said run");
    assert!(!scene.looks_again_at(250.0));
}

#[test]
fn a_second_look_never_keeps_miners_on_against_the_first() {
    for second in [reading(320.0), reading(305.0), reading(250.0), unread()] {
        let mut scene = Scene::running();
        scene.read_twice(reading(320.0), second.clone());
        assert_eq!(scene.state.signal.level, Level::Curtail, "{second:?}");
        assert!(scene.commands.iter().any(Command::is_safe), "{second:?}: a command in the same pass");
    }
}

#[test]
fn a_way_back_needs_both_looks() {
    for second in [reading(320.0), reading(305.0), unread()] {
        let mut scene = Scene::curtailed();
        scene.read_twice(reading(250.0), second.clone());
        assert_eq!((scene.state.signal.level, scene.state.signal.run_readings), (Level::Curtail, 0), "{second:?}");
    }
    let mut scene = Scene::curtailed();
    scene.read_twice(reading(250.0), reading(251.0));
    assert_eq!(scene.state.signal.run_readings, 1);
    assert_eq!(scene.state.signal.last_good.as_ref().unwrap().value, "251", "the newer of two that agree");
}

#[test]
fn a_first_run_reading_that_nothing_confirms_leaves_the_signal_blind_and_says_why() {
    let mut scene = Scene::new();
    scene.read_twice(reading(250.0), unread());
    assert_eq!(scene.state.signal.level, Level::Blind);
    assert!(
        scene.state.signal.why.contains("the page says `250`, but read again at once"),
        "{}",
        scene.state.signal.why
    );
    let mut scene = Scene::new();
    scene.read_twice(reading(250.0), reading(250.0));
    assert_eq!(scene.state.signal.level, Level::Run);
}

#[test]
fn words_are_looked_at_again_as_numbers_are() {
    let mut scene = Scene::running();
    let word = |value: SignalValue| Ok(SignalReading { text: "x".into(), value, stamp: None, hash: "1".into() });
    scene.cfg.signal.meaning =
        minectl::config::SignalMeaning::Words { curtail: vec!["OFF".into()], run: vec!["ON".into()] };
    let (off, on) = (word(SignalValue::CurtailWord("OFF".into())), word(SignalValue::RunWord("ON".into())));
    assert!(needs_second_look(&scene.cfg, &scene.state, &off));
    assert!(!needs_second_look(&scene.cfg, &scene.state, &on));
    assert_eq!(settled(&scene.cfg, off.clone(), on.clone()), off);
    assert_eq!(settled(&scene.cfg, on, off.clone()), off);
}
