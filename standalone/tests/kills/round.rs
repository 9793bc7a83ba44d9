//! Some kills under load.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;

use crate::load::{Attempt, Load};
use crate::service::Service;
use crate::victim::{Kill, Victim};

/// What happened.
pub struct Round {
    pub kills: Vec<Kill>,
    pub attempts: Vec<Attempt>,
}

/// Kills `count` processes, one after the other has recovered.
pub async fn play(service: &mut Service, count: usize, random: &mut StdRng) -> Round {
    let load = Load::start(&service.client, random);
    let mut kills = Vec::new();
    while kills.len() < count {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..1500))).await;
        let victim = Victim::choose(random);
        kills.extend(victim.kill(service, random).await);
        service.reap();
    }
    // What the last kill has spoiled is noticed by then.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Round { kills, attempts: load.finish().await }
}
