//! The arithmetic: ratios within a round, then least, median and greatest of them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::load::Sample;

/// CPU time per request in microseconds.
pub fn per_request(cpu: Duration, sample: &Sample) -> f64 {
    cpu.as_secs_f64() * 1e6 / sample.requests
}

/// All samples of a run. The first contestant is the one to which the others are compared.
pub struct Tally {
    names: Vec<&'static str>,
    visits: Vec<Visit>,
}

struct Visit {
    round: usize,
    contestant: usize,
    cpu: f64,
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Tally {
    /// Nothing yet.
    pub fn new(names: Vec<&'static str>) -> Self {
        Self { names, visits: Vec::new() }
    }

    /// Adds a visit.
    pub fn add(&mut self, round: usize, contestant: usize, cpu: Duration, sample: Sample) {
        let rate = sample.requests / sample.seconds;
        self.visits.push(Visit {
            round,
            contestant,
            cpu: per_request(cpu, &sample),
            rate,
            p50: sample.p50,
            p99: sample.p99,
        });
    }

    /// The result as text. Latencies only where the load was paced: a saturated proxy's are the queue's.
    pub fn table(&self, paced: bool) -> String {
        let baseline = self.names.first().copied().unwrap_or_default();
        let mut table =
            format!("\n{:<16} {:>9} {:>9}   {:>22}", "", "µs CPU", "requests", format!("÷ {baseline}: median (range)"));
        if paced {
            let _ = write!(table, "  {:>13}  {:>26}", "p50 / p99 µs", format!("p99 ÷ {baseline} (range)"));
        }
        table.push('\n');
        for (contestant, name) in self.names.iter().enumerate() {
            let cpu = Spread::of(self.column(contestant, |visit| visit.cpu));
            let rate = Spread::of(self.column(contestant, |visit| visit.rate));
            let ratio = Spread::of(self.ratios(contestant, |visit| visit.cpu));
            let _ = write!(table, "{name:<16} {:9.2} {:7.0}/s   {ratio:>22}", cpu.median, rate.median);
            if paced {
                let p50 = Spread::of(self.column(contestant, |visit| visit.p50));
                let p99 = Spread::of(self.column(contestant, |visit| visit.p99));
                let ratio = Spread::of(self.ratios(contestant, |visit| visit.p99));
                let _ = write!(table, "  {:5.0} / {:5.0}  {ratio:>26}", p50.median, p99.median);
            }
            table.push('\n');
        }
        table
    }

    fn column(&self, contestant: usize, value: fn(&Visit) -> f64) -> Vec<f64> {
        self.visits.iter().filter(|visit| visit.contestant == contestant).map(value).collect()
    }

    /// Each visit over that of the baseline in the same round.
    fn ratios(&self, contestant: usize, value: fn(&Visit) -> f64) -> Vec<f64> {
        let visits = self.visits.iter().filter(|visit| visit.contestant == contestant);
        visits
            .filter_map(|visit| {
                let beside = self.visits.iter().find(|other| other.contestant == 0 && other.round == visit.round)?;
                Some(value(visit) / value(beside))
            })
            .collect()
    }
}

/// Least, median, greatest.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let (last, middle) = (values.len().saturating_sub(1), values.len() / 2);
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(at(middle.saturating_sub(1)), at(middle))
        } else {
            at(middle)
        };
        Self { least: at(0), median, greatest: at(last) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(&format!("{:.2} ({:.2}–{:.2})", self.median, self.least, self.greatest))
    }
}
