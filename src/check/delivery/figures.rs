//! Figures of a distribution: exact, by selection.

use crate::verdict::Figures;

/// The smallest sample that at least this share of the samples does not exceed. Puts the samples in another order.
fn quantile(samples: &mut [i64], thousandths: usize) -> i64 {
    let rank = (samples.len() * thousandths).div_ceil(1000).max(1);
    *samples.select_nth_unstable(rank - 1).1
}

/// `count`, `p50`, `p99` and `max` of some samples; nothing but `count` where there are none.
pub(in crate::check) fn distribution(mut samples: Vec<i64>) -> Figures {
    let mut figures = Figures::new();
    figures.insert("count".to_owned(), samples.len().into());
    if !samples.is_empty() {
        figures.insert("p50".to_owned(), quantile(&mut samples, 500).into());
        figures.insert("p99".to_owned(), quantile(&mut samples, 990).into());
        figures.insert("max".to_owned(), quantile(&mut samples, 1000).into());
    }
    figures
}

/// A share, to six decimals; null where there is nothing to share.
pub(in crate::check) fn rate(part: u64, whole: u64) -> serde_json::Value {
    if whole == 0 {
        return serde_json::Value::Null;
    }
    let millionths = (u128::from(part) * 1_000_000 + u128::from(whole) / 2) / u128::from(whole);
    u32::try_from(millionths).map_or(serde_json::Value::Null, |share| (f64::from(share) / 1e6).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: quantiles are samples, by nearest rank, and small sets have them too.
    #[test]
    fn quantiles_are_samples() {
        let figures = distribution((1..=200).rev().collect());
        assert_eq!(
            serde_json::Value::Object(figures),
            serde_json::json!({"count": 200, "p50": 100, "p99": 198, "max": 200})
        );
        let figures = distribution(vec![7]);
        assert_eq!(serde_json::Value::Object(figures), serde_json::json!({"count": 1, "p50": 7, "p99": 7, "max": 7}));
        assert_eq!(distribution(Vec::new()).len(), 1);
        assert_eq!((rate(1, 3), rate(1, 0)), (serde_json::json!(0.333333), serde_json::Value::Null));
    }
}
