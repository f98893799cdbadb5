//! Figures and verdicts, one a line.

use std::time::Duration;

/// Starts a section.
pub(crate) fn title(text: &str) {
    println!("\n{text}");
}

/// One figure.
pub(crate) fn row(label: &str, value: impl std::fmt::Display) {
    println!("  {label:<58} {value}");
}

/// One figure against its goal, and whether it is met.
pub(crate) fn goal(label: &str, measured: f64, most: f64) {
    let verdict = if measured <= most { "met" } else { "MISSED" };
    row(label, format_args!("{measured:.2}, goal ≤ {most}: {verdict}"));
}

/// Durations, for their percentiles.
#[derive(Default)]
pub(crate) struct Spans(Vec<Duration>);

impl Spans {
    pub(crate) fn push(&mut self, span: Duration) {
        self.0.push(span);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
    }

    pub(crate) fn p50(&self) -> Duration {
        self.percentile(50)
    }

    /// p50, and p90 and p99 beside it.
    pub(crate) fn summary(&self) -> String {
        format!("{}, p90 {}, p99 {}", us(self.p50()), us(self.percentile(90)), us(self.percentile(99)))
    }
}

/// In microseconds.
pub(crate) fn us(span: Duration) -> String {
    format!("{:.0} µs", span.as_secs_f64() * 1e6)
}

/// One span in units of another.
pub(crate) fn ratio(span: Duration, unit: Duration) -> f64 {
    span.as_secs_f64() / unit.as_secs_f64()
}
