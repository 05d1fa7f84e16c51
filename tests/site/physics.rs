//! The air of the container and its nine fans, in steps of one second. It does not know devices or faults: it is told
//! which fans have power and how much heat there is.

/// Exhaust fans.
pub(crate) const FANS: usize = 9;

const FAN_WATTS: f64 = 1500.0;
const HEAT_CAPACITY: f64 = 3.5e6;
/// 12,000 cfm: m3/s times kg/m3 times J/kgK.
const FAN_WATTS_PER_KELVIN: f64 = 5.66 * 1.2 * 1005.0;
const LEAK_WATTS_PER_KELVIN: f64 = 500.0;
const PROBE_LAG_S: f64 = 20.0;
const SPIN_UP_S: f64 = 10.0;

/// A number in -1..1 that depends only on its arguments.
pub(crate) fn noise(seed: u64, a: u64, b: u64) -> f64 {
    (hash(seed, a, b) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// A whole number in `min..=max` that depends only on its arguments.
pub(crate) fn pick(seed: u64, a: u64, b: u64, min: u64, max: u64) -> u64 {
    min + hash(seed, a, b) % (max - min + 1)
}

fn hash(seed: u64, a: u64, b: u64) -> u64 {
    let mut z =
        seed.wrapping_add(a.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(b.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One exhaust fan.
#[derive(Clone)]
pub(crate) struct Fan {
    /// 0 still, 1 full.
    pub(crate) speed: f64,
    pub(crate) is_dead: bool,
    is_powered: bool,
}

impl Fan {
    pub(crate) fn running() -> Fan {
        Fan { speed: 1.0, is_dead: false, is_powered: true }
    }

    pub(crate) fn step(&mut self, is_powered: bool) {
        self.is_powered = is_powered;
        let change = if is_powered && !self.is_dead { 1.0 } else { -1.0 } / SPIN_UP_S;
        self.speed = (self.speed + change).clamp(0.0, 1.0);
    }

    /// Whether it moves about its full amount of air.
    pub(crate) fn is_running(&self) -> bool {
        self.speed > 0.5
    }

    /// Electrical power, with a measuring error that changes every second.
    pub(crate) fn watts(&self, seed: u64, number: u64, step: u64) -> f64 {
        let error = noise(seed, 1000 + number, step);
        if self.is_powered && !self.is_dead { FAN_WATTS * self.speed * (1.0 + 0.02 * error) } else { 1.0 + error }
    }
}

/// A temperature probe: it lags, and remembers its extremes since power-up.
#[derive(Clone)]
pub(crate) struct Probe {
    pub(crate) celsius: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    lagged: f64,
    number: u64,
}

impl Probe {
    fn at(number: u64, celsius: f64) -> Probe {
        Probe { celsius, high: celsius, low: celsius, lagged: celsius, number }
    }

    fn step(&mut self, air: f64, seed: u64, step: u64) {
        self.lagged += (air - self.lagged) / PROBE_LAG_S;
        self.celsius = self.lagged + 0.05 * noise(seed, 2000 + self.number, step);
        self.high = self.high.max(self.celsius);
        self.low = self.low.min(self.celsius);
    }
}

/// The air inside.
#[derive(Clone)]
pub(crate) struct Air {
    /// The hot side, where the fans draw.
    pub(crate) box_c: f64,
    /// In front of the miners.
    pub(crate) intake_c: f64,
    pub(crate) mid: Probe,
    pub(crate) west: Probe,
    pub(crate) east: Probe,
    pub(crate) exhaust: Probe,
}

impl Air {
    /// The steady state of this heat with all fans on.
    pub(crate) fn steady(outdoor_c: f64, heat_watts: f64) -> Air {
        let n = FANS as f64;
        let box_c = outdoor_c + heat_watts / (n * FAN_WATTS_PER_KELVIN + LEAK_WATTS_PER_KELVIN);
        let intake_c = outdoor_c + recirculation(n) * (box_c - outdoor_c);
        let probe = Probe::at;
        let (mid, west) = (probe(0, (box_c + intake_c) / 2.0), probe(1, intake_c));
        Air { box_c, intake_c, mid, west, east: probe(2, intake_c), exhaust: probe(3, box_c) }
    }

    /// One second; `fans` is the number of fans' worth of air that moves.
    pub(crate) fn step(&mut self, outdoor_c: f64, heat_watts: f64, fans: f64, seed: u64, step: u64) {
        let removed = (fans * FAN_WATTS_PER_KELVIN + LEAK_WATTS_PER_KELVIN) * (self.box_c - outdoor_c);
        self.box_c += (heat_watts - removed) / HEAT_CAPACITY;
        self.intake_c = outdoor_c + recirculation(fans) * (self.box_c - outdoor_c);
        self.mid.step((self.box_c + self.intake_c) / 2.0, seed, step);
        self.west.step(self.intake_c, seed, step);
        self.east.step(self.intake_c + 0.02 * (self.box_c - outdoor_c), seed, step);
        self.exhaust.step(self.box_c, seed, step);
    }
}

/// The part of the hot side's excess that reaches the intake: all of it without fans, a tenth with nine.
fn recirculation(fans: f64) -> f64 {
    0.93 * (-fans / 2.7).exp() + 0.07
}
