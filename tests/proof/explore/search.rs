//! Every story of at most so many changes, the shortest first: between two changes any number of runs. A story is a list
//! of steps from the first run of a mine that runs.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::settle::{Settler, WANTED};
use super::site::{Page, good_world};
use super::steps::{BAD_ENDS, Change, End, Site, Step, Tamper, changes};
use super::variants::Variant;

/// How far to look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Changes of the world, and runs that end badly, in one story. Runs that end well are free.
    pub changes: u8,
    /// Faults at the same time.
    pub faults: usize,
    /// With the changes that resemble others.
    pub wide: bool,
}

/// A story that leads to what must not be.
#[derive(Debug, Clone)]
pub(super) struct Violation {
    pub steps: Vec<Step>,
    /// The page afterwards, when it is found with all well again.
    pub then: Option<Page>,
    pub what: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub sites: usize,
    pub transitions: usize,
    pub passes: usize,
    pub runs_deep: u16,
    pub by_changes: Vec<usize>,
    pub worst: Vec<Settler>,
    pub violations: Vec<Violation>,
    /// A part of the stories, evenly over all sites.
    pub samples: Vec<Vec<Step>>,
    pub took: Duration,
}

/// How a site was first reached: from which other, by which step.
struct Node {
    from: u32,
    step: u8,
    cost: u8,
    deep: u16,
    is_done: bool,
}

struct Search<'a> {
    variant: &'a Variant,
    bounds: Bounds,
    tamper: Tamper,
    steps: Vec<Step>,
    nodes: Vec<Node>,
    seen: HashMap<u64, u32>,
    now: VecDeque<(u32, Site)>,
    later: VecDeque<(u32, Site)>,
    /// Sites that no further change may come to: they wait for nothing, and are by far the most.
    last: Vec<(u32, Site)>,
    layer: u8,
    found: Found,
}

/// A long search tells how far it is after so many sites.
const SITES_TOLD: usize = 500_000;
/// Stories that are played again by a site that forgets nothing.
const SAMPLES: usize = 400;
/// More sites than this are a mistake in the key, or bounds that are too wide.
const SITES_MAX: usize = 20_000_000;
/// Violations kept: one of each kind, the shortest.
const VIOLATIONS_MAX: usize = 12;

/// Looks at every story within the bounds, and drives every site on the way to both wanted ends.
pub(super) fn explore(variant: &Variant, bounds: Bounds, tamper: Tamper) -> Found {
    let began = Instant::now();
    let mut steps: Vec<Step> = vec![Step::Run(End::Whole)];
    steps.extend(BAD_ENDS.map(Step::Run));
    steps.extend(changes(variant, bounds.wide).into_iter().map(Step::Change));
    let mut search = Search {
        variant,
        bounds,
        tamper,
        steps,
        nodes: Vec::new(),
        seen: HashMap::new(),
        now: VecDeque::new(),
        later: VecDeque::new(),
        last: Vec::new(),
        layer: 0,
        found: Found::default(),
    };
    let (settlers, stuck) = std::thread::scope(|scope| {
        let mut senders = Vec::new();
        let mut threads = Vec::new();
        for page in WANTED {
            let (sender, receiver) = sync_channel::<(u32, Site)>(4096);
            senders.push(sender);
            threads.push(scope.spawn(move || {
                let mut settler = Settler::new(page);
                let mut stuck = Vec::new();
                for (id, site) in receiver {
                    if let Err(what) = settler.settle(variant, &site, tamper) {
                        stuck.push((id, what));
                    }
                }
                (page, settler, stuck)
            }));
        }
        search.all(&mut |id, site| {
            for sender in &senders {
                sender.send((id, site.clone())).expect("the settler listens");
            }
        });
        drop(senders);
        let mut settlers = Vec::new();
        let mut all_stuck = Vec::new();
        for thread in threads {
            let (page, settler, stuck) = thread.join().expect("the settler ends");
            all_stuck.extend(stuck.into_iter().map(|(id, what)| (page, id, what)));
            settlers.push(settler);
        }
        (settlers, all_stuck)
    });
    let count = search.nodes.len();
    search.found.samples = (0..count).step_by(1 + count / SAMPLES).map(|id| search.story(id)).collect();
    for (page, id, what) in stuck {
        search.violation(id, None, Some(page), what);
    }
    let of_cost = |cost| search.nodes.iter().filter(|node| node.cost == cost).count();
    search.found.by_changes = (0..=bounds.changes).map(of_cost).collect();
    let mut found = search.found;
    for settler in settlers {
        found.passes += settler.runs;
        found.worst.push(settler);
    }
    found.sites = search.nodes.len();
    found.took = began.elapsed();
    found
}

impl Search<'_> {
    fn all(&mut self, settle: &mut dyn FnMut(u32, &Site)) {
        self.begin();
        for layer in 0..=self.bounds.changes {
            self.layer = layer;
            while let Some((id, site)) = self.last.pop().or_else(|| self.now.pop_front()) {
                let node = &mut self.nodes[id as usize];
                if std::mem::replace(&mut node.is_done, true) {
                    continue;
                }
                let (step, cost) = (self.steps[usize::from(node.step)], node.cost);
                // A change of the world alone leaves what is remembered and switched: its rest is the same.
                if !matches!(step, Step::Change(change) if is_outside(change)) {
                    settle(id, &site);
                }
                self.expand(id, &site, cost);
            }
            std::mem::swap(&mut self.now, &mut self.later);
        }
    }

    /// The stories begin with the normal life of the mine: first run, running, curtailed, running again.
    fn begin(&mut self) {
        let mut site = Site::first_run(good_world(), self.variant.keeps);
        self.reach(0, 0, 0, site.clone(), 0);
        let mut id = 0;
        for page in [Page::Run, Page::Curtail, Page::Run] {
            if let Some(changed) = site.changed(Change::Page(page)) {
                site = changed;
                let step = self.steps.iter().position(|s| *s == Step::Change(Change::Page(page))).unwrap_or(0);
                id = self.reach(id, step, 0, site.clone(), 0);
            }
            for _ in 0..24 {
                let Ok(ran) = site.run(&self.variant.cfg, &[End::Whole], self.tamper) else { return };
                let Some((_, ran)) = ran.into_iter().next() else { return };
                site = ran.site;
                id = self.reach(id, 0, 0, site.clone(), 0);
            }
        }
    }

    fn expand(&mut self, id: u32, site: &Site, cost: u8) {
        let more = cost < self.bounds.changes;
        let ends: &[End] = if more {
            &[End::Whole, End::NothingSaved, End::NothingSent, End::NotRecorded, End::SentNotSaved, End::Again]
        } else {
            &[End::Whole]
        };
        let deep = self.nodes[id as usize].deep;
        self.found.passes += 1 + usize::from(more);
        match site.run(&self.variant.cfg, ends, self.tamper) {
            Ok(all) => {
                for (place, (end, ran)) in all.into_iter().enumerate() {
                    let cost = if end == End::Whole { cost } else { cost + 1 };
                    self.reach(id, place, cost, ran.site, deep + 1);
                }
            }
            Err((end, broken)) => self.violation(id, Some(end), None, broken),
        }
        if more {
            for place in 1 + BAD_ENDS.len()..self.steps.len() {
                let Step::Change(change) = self.steps[place] else { continue };
                let Some(next) = site.changed(change) else { continue };
                if next.world.faults() <= self.bounds.faults.max(site.world.faults().min(self.bounds.faults)) {
                    self.reach(id, place, cost + 1, next, deep);
                }
            }
        }
    }

    /// Takes in a site that was reached; returns its number.
    fn reach(&mut self, from: u32, step: usize, cost: u8, site: Site, deep: u16) -> u32 {
        self.found.transitions += 1;
        self.found.runs_deep = self.found.runs_deep.max(deep);
        let step = u8::try_from(step).expect("few steps");
        let next = u32::try_from(self.nodes.len()).expect("fewer sites");
        assert!(self.nodes.len() < SITES_MAX, "more than {SITES_MAX} sites: something in the key grows for ever");
        let id = *self.seen.entry(site.key()).or_insert(next);
        if id == next {
            self.nodes.push(Node { from, step, cost, deep, is_done: false });
            if self.nodes.len().is_multiple_of(SITES_TOLD) {
                println!("  {} sites so far, changes are added to stories of {}", self.nodes.len(), self.layer);
            }
        } else {
            let node = &mut self.nodes[id as usize];
            if node.cost <= cost {
                return id;
            }
            *node = Node { from, step, cost, deep, is_done: false };
        }
        if cost == self.bounds.changes {
            self.last.push((id, site));
        } else {
            if cost == self.layer { &mut self.now } else { &mut self.later }.push_back((id, site));
        }
        id
    }

    /// The steps that led to a site.
    fn story(&self, id: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = id;
        while at != 0 {
            let node = &self.nodes[at];
            steps.push(self.steps[usize::from(node.step)]);
            at = node.from as usize;
        }
        steps.reverse();
        steps
    }

    fn violation(&mut self, id: u32, end: Option<End>, then: Option<Page>, what: String) {
        let mut steps = self.story(id as usize);
        steps.extend(end.map(Step::Run));
        let kind = |what: &str| what.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        let found = &mut self.found.violations;
        let is_full = found.len() >= VIOLATIONS_MAX;
        match found.iter_mut().find(|known| kind(&known.what) == kind(&what)) {
            Some(known) if known.steps.len() > steps.len() => *known = Violation { steps, then, what },
            Some(_) => {}
            None if is_full => {}
            None => found.push(Violation { steps, then, what }),
        }
    }
}

/// Whether a change leaves outputs and memory alone.
fn is_outside(change: Change) -> bool {
    !matches!(change, Change::Hand(..) | Change::LostState | Change::Reboot | Change::ClockSet)
}
