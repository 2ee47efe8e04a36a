//! What a bench found: figures of the subject, figures of the yardstick, their ratio, and whether that is enough.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything that one bench found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outcome {
    pub name: String,
    /// The day, RFC 3339.
    pub at: String,
    /// The commit that was measured.
    pub commit: String,
    /// Short rounds: figures to try a bench out, not to rely on.
    pub quick: bool,
    /// Whether every case that has a goal reached it.
    pub reached: bool,
    pub cases: Vec<Case>,
    /// Why there are no cases.
    pub failed: Option<String>,
}

/// The same thing measured once a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Series {
    pub what: String,
    pub unit: String,
    pub rounds: Vec<f64>,
}

impl Series {
    pub fn new(what: impl Into<String>, unit: impl Into<String>, rounds: Vec<f64>) -> Self {
        Self {
            what: what.into(),
            unit: unit.into(),
            rounds,
        }
    }
}

/// Median, least and greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` of nothing.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, min, max })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    AtLeast,
    AtMost,
}

/// What is to be reached: by the median ratio when there is a yardstick, else by the subject's median.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Goal {
    pub bound: Bound,
    pub value: f64,
}

/// One comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub subject: Series,
    pub yardstick: Option<Series>,
    pub ratio: Option<Spread>,
    pub goal: Option<Goal>,
    pub reached: Option<bool>,
    /// What was seen beside the figures: who kept the processors busy, what limits it.
    pub seen: String,
    pub raw: Value,
}

impl Case {
    /// Rounds of subject and yardstick belong together pair by pair, because they ran one after the other.
    pub fn against(name: impl Into<String>, subject: Series, yardstick: Series) -> Self {
        let pairs = subject.rounds.iter().zip(&yardstick.rounds);
        let ratios: Vec<f64> = pairs.map(|(one, other)| one / other).collect();
        Self {
            ratio: Spread::of(&ratios),
            yardstick: Some(yardstick),
            ..Self::alone(name, subject)
        }
    }

    pub fn alone(name: impl Into<String>, subject: Series) -> Self {
        Self {
            name: name.into(),
            subject,
            yardstick: None,
            ratio: None,
            goal: None,
            reached: None,
            seen: String::new(),
            raw: Value::Null,
        }
    }

    #[must_use]
    pub fn at_least(self, value: f64) -> Self {
        self.goal(Bound::AtLeast, value)
    }

    #[must_use]
    pub fn at_most(self, value: f64) -> Self {
        self.goal(Bound::AtMost, value)
    }

    fn goal(mut self, bound: Bound, value: f64) -> Self {
        let measured = match (&self.yardstick, self.ratio) {
            (Some(_), ratio) => ratio.map(|it| it.median),
            (None, _) => Spread::of(&self.subject.rounds).map(|it| it.median),
        };
        self.goal = Some(Goal { bound, value });
        self.reached = Some(measured.is_some_and(|it| match bound {
            Bound::AtLeast => it >= value,
            Bound::AtMost => it <= value,
        }));
        self
    }

    #[must_use]
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = seen.into();
        self
    }

    #[must_use]
    pub fn raw(mut self, raw: Value) -> Self {
        self.raw = raw;
        self
    }

    /// For people.
    pub fn line(&self) -> String {
        let median = |series: &Series| {
            let median = Spread::of(&series.rounds).map_or(0.0, |it| it.median);
            format!("{} {}", shown(median), series.unit)
        };
        let mut parts = vec![format!("{}: {}", self.name, median(&self.subject))];
        if let (Some(yardstick), Some(ratio)) = (&self.yardstick, self.ratio) {
            let [mid, min, max] = [ratio.median, ratio.min, ratio.max].map(shown);
            let held = format!("{} {}", yardstick.what, median(yardstick));
            parts.push(format!("{held} → {mid} × ({min} to {max})"));
        }
        if let (Some(goal), Some(reached)) = (self.goal, self.reached) {
            let said = if reached { "reached" } else { "not reached" };
            parts.push(format!("goal {}: {said}", self.goal_text(goal)));
        }
        if !self.seen.is_empty() {
            parts.push(format!("[{}]", self.seen));
        }
        parts.join(", ")
    }

    /// `≥ 10 ×`, `≤ 20 ms`
    pub fn goal_text(&self, goal: Goal) -> String {
        let sign = match goal.bound {
            Bound::AtLeast => '≥',
            Bound::AtMost => '≤',
        };
        let unit = if self.yardstick.is_some() {
            "×"
        } else {
            &self.subject.unit
        };
        format!("{sign} {} {unit}", shown(goal.value))
    }
}

/// A figure with as many digits as it deserves.
pub fn shown(value: f64) -> String {
    if value >= 1_000.0 {
        let whole = format!("{value:.0}");
        let mut text = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push('\u{202f}');
            }
            text.push(digit);
        }
        text
    } else if value >= 100.0 || (value - value.round()).abs() < 1e-9 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_held_against_the_median_ratio_or_against_the_figure_itself() {
        let series = |rounds: &[f64]| Series::new("x", "ms", rounds.to_vec());
        let ratio = Case::against("a", series(&[10.0, 30.0, 20.0]), series(&[10.0, 10.0, 10.0]));
        assert_eq!(ratio.clone().at_least(2.0).reached, Some(true));
        assert_eq!(ratio.clone().at_least(2.1).reached, Some(false));
        assert_eq!(ratio.at_most(1.9).reached, Some(false));
        let figure = Case::alone("b", series(&[4.0, 6.0]));
        assert_eq!(figure.clone().at_most(5.0).reached, Some(true));
        assert_eq!(figure.at_most(4.9).reached, Some(false));
        assert_eq!(
            Case::alone("c", series(&[])).at_most(1.0).reached,
            Some(false),
            "nothing measured"
        );
    }

    #[test]
    fn figures_are_shown_with_the_digits_they_deserve() {
        for (value, text) in [
            (0.123, "0.12"),
            (12.34, "12.3"),
            (123.4, "123"),
            (10.0, "10"),
            (1_234_567.8, "1\u{202f}234\u{202f}568"),
        ] {
            assert_eq!(shown(value), text);
        }
    }
}
