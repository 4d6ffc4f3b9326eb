//! How long to wait and how often to try. Every retry of the vault is counted here; `object_store` makes none of its own,
//! because it repeats a create blindly and then takes our own object for somebody else's.

use super::Vault;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Time-outs and the retry budget.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    /// To connect.
    pub connect: Duration,
    /// For one request, body included.
    pub request: Duration,
    /// Tries of one step, the first included.
    pub tries: u32,
    /// Wait before the second try; doubles after each.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
    /// No further try after this long.
    pub total: Duration,
    /// Seeds the jitter, so that many jobs do not come back at the same moment: from the run's id, or random.
    pub seed: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(30),
            tries: 6,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(5),
            total: Duration::from_secs(90),
            seed: 0,
        }
    }
}

/// The tries of one step.
pub(super) struct Tries<'a> {
    patience: &'a Patience,
    began: Instant,
    random: u64,
    /// Tries made so far.
    pub made: u32,
}

impl Tries<'_> {
    /// Waits before another try; `false` when there is to be none.
    pub(super) async fn again(&mut self) -> bool {
        if self.made >= self.patience.tries || self.began.elapsed() >= self.patience.total {
            return false;
        }
        self.made += 1;
        tokio::time::sleep(self.wait()).await;
        true
    }

    /// Half of the doubled wait for sure, the other half by chance.
    fn wait(&mut self) -> Duration {
        let doubled = self.patience.first_wait.saturating_mul(1 << (self.made.saturating_sub(2)).min(16));
        let most = doubled.min(self.patience.longest_wait);
        self.random = mix(self.random);
        most / 2 + (most / 2).mul_f64((self.random >> 11) as f64 / (1u64 << 53) as f64)
    }
}

impl Vault {
    /// A fresh budget for one step.
    pub(super) fn tries(&self) -> Tries<'_> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        Tries { patience: &self.patience, began: Instant::now(), random: mix(self.patience.seed ^ mix(turn)), made: 1 }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): enough to spread waits, no good for secrets.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_bounded_and_differ_by_seed() {
        let waits = |seed| {
            let patience = Patience { seed, ..Patience::default() };
            let mut tries = Tries { patience: &patience, began: Instant::now(), random: mix(seed), made: 1 };
            (2..40)
                .map(|n| {
                    tries.made = n;
                    let wait = tries.wait();
                    let most = patience.first_wait.saturating_mul(1 << (n - 2).min(16)).min(patience.longest_wait);
                    assert!(wait >= most / 2 && wait <= most, "{n}: {wait:?}");
                    wait
                })
                .collect::<Vec<_>>()
        };
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(3), waits(3));
    }
}
