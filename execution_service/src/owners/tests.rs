//! Whose sandboxes get how much, and whose have to go.

use std::time::Duration;

use super::*;
use crate::execution::sharing::{Share, What};
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::fake::{FakeBackend, LIMITS, until};
use crate::sandbox::spec::{SandboxSpec, Usage};

/// Of a machine for 16 sandboxes, of which one owner may have 8.
fn rules(background: Background) -> OwnerRules {
    let of = |count: u64| Footprint {
        memory_bytes: LIMITS.memory_bytes * count,
        processes: u64::from(LIMITS.processes) * count,
    };
    let promisable = Promisable { all: of(16), one: of(8) };
    OwnerRules { promisable, capacity: of(16), most_of_one: of(8), background }
}

struct Scene {
    backend: Arc<FakeBackend>,
    owners: Owners,
}

/// A sandbox in which something may go on.
struct Held {
    number: usize,
    activity: Activity,
    membership: Membership,
}

impl Scene {
    fn new(background: Background) -> Self {
        Self { backend: FakeBackend::of_kernels(), owners: Owners::new(rules(background)) }
    }

    async fn sandbox(&self, owner: &str) -> Result<Held, Overcommitted> {
        let promise = self.owners.promise(owner, LIMITS)?;
        let made = self.backend.create(&SandboxSpec::closed(LIMITS)).await.expect("made");
        let (sandbox, activity) = (Arc::<dyn Sandbox>::from(made), Activity::default());
        let membership = promise.keep(&sandbox, &activity);
        Ok(Held { number: self.backend.created() - 1, activity, membership })
    }

    fn weight(&self, held: &Held) -> u32 {
        self.backend.sandbox(held.number).cpu_weight()
    }

    fn paused(&self, held: &Held) -> bool {
        self.backend.sandbox(held.number).is_paused()
    }

    fn holds(&self, held: &Held, memory_bytes: u64) {
        let inside = self.backend.sandbox(held.number);
        inside.set_usage(Usage { memory_bytes, ..inside.usage() });
    }

    fn computes(&self, held: &Held, cpu: Duration) {
        let inside = self.backend.sandbox(held.number);
        inside.set_usage(Usage { cpu, ..inside.usage() });
    }

    /// Evicts whatever has to go, and gives what each of them held.
    async fn too_much(&self) -> Vec<u64> {
        let mut held = Vec::new();
        for evicted in self.owners.too_much(self.backend.footprint()).await {
            evicted.activity.evict();
            held.push(evicted.sandbox.footprint().await.memory_bytes / LIMITS.memory_bytes);
        }
        held
    }

    fn held_to(&self, held: &Held) -> Option<u64> {
        let most = self.backend.sandbox(held.number).held_to()?;
        Some(most.processes)
    }
}

impl Held {
    fn run(&self) -> Share {
        self.activity.begin(What::Run { cpu: Duration::from_secs(1), sandbox: LIMITS })
    }
}

#[tokio::test]
async fn an_owner_has_one_weight_however_many_sandboxes() {
    let scene = Scene::new(Background::Low);
    let first = scene.sandbox("ann").await.unwrap();
    let run = first.run();
    let ann = [first, scene.sandbox("ann").await.unwrap()];
    let bob = scene.sandbox("bob").await.unwrap();
    let shares = [run, ann[1].run(), bob.run()];
    assert_eq!((scene.weight(&ann[1]), scene.weight(&bob)), (250, 1000), "from the start");
    scene.owners.divide_processors().await;
    assert_eq!((scene.weight(&ann[0]), scene.weight(&ann[1])), (250, 250));
    // Who waits for something takes nothing from the others of the same owner.
    scene.computes(&ann[0], Duration::from_millis(50));
    scene.owners.divide_processors().await;
    assert_eq!((scene.weight(&ann[0]), scene.weight(&ann[1])), (1000, 125));

    drop(shares);
    let share = bob.run();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.owners.divide_processors().await;
    assert_eq!((scene.weight(&ann[0]), scene.weight(&ann[1])), (50, 50), "what is left over");
    assert_eq!(scene.weight(&bob), 1000);
    drop(share);
    ann[0].membership.activate(LIMITS, None).await.unwrap();
    assert_eq!(scene.weight(&ann[0]), 1000, "at once when it is used again");
}

#[tokio::test]
async fn the_weights_of_an_owner_have_a_sum_whatever_is_seen_of_them() {
    let (backend, owners) = (FakeBackend::of_kernels(), Owners::roomy());
    let scene = Scene { backend, owners };
    let mut ann = Vec::new();
    for _ in 0..60 {
        let held = scene.sandbox("ann").await.unwrap();
        ann.push((held.run(), held));
    }
    let sum = || ann.iter().map(|(_, held)| scene.weight(held)).sum::<u32>();
    // So many spin that each has a millisecond between two looks, and none is seen to compute.
    for look in 1..4 {
        for (_, held) in &ann {
            scene.computes(held, Duration::from_millis(look));
        }
        scene.owners.divide_processors().await;
        assert!(sum() <= FULL, "at look {look}: {}", sum());
    }
    // Half of them do more.
    for (_, held) in ann.iter().step_by(2) {
        scene.computes(held, Duration::from_millis(100));
    }
    scene.owners.divide_processors().await;
    assert!(sum() <= FULL, "{}", sum());
}

#[tokio::test]
async fn what_stands_still_in_one_that_idles_costs_the_others_of_its_owner_nothing() {
    let scene = Scene::new(Background::Low);
    let ann = [scene.sandbox("ann").await.unwrap(), scene.sandbox("ann").await.unwrap()];
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.owners.divide_processors().await;
    scene.computes(&ann[0], Duration::from_millis(50));
    scene.owners.divide_processors().await;
    assert_eq!((scene.weight(&ann[0]), scene.weight(&ann[1])), (100, 50));
}

#[tokio::test]
async fn what_idles_is_promised_what_it_holds_and_may_have_to_stand_still() {
    let scene = Scene::new(Background::Frozen);
    let mut ann = Vec::new();
    for _ in 0..8 {
        ann.push(scene.sandbox("ann").await.unwrap());
    }
    let refused = scene.sandbox("ann").await.map(|_| ()).unwrap_err();
    assert_eq!(refused.bound, Bound::Owner);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.owners.divide_processors().await;
    until(|| ann.iter().all(|held| scene.paused(held))).await;
    for _ in 0..8 {
        ann.push(scene.sandbox("ann").await.expect("the others hold nothing"));
    }
    let refused = ann[0].membership.activate(LIMITS, Some(Instant::now())).await;
    assert_eq!(refused.unwrap_err().bound, Bound::Owner);
    assert!(scene.paused(&ann[0]));

    // Who waits gets the room that another gives back.
    let leaving = ann.pop().expect("one");
    let (activated, ()) = tokio::join!(ann[0].membership.activate(LIMITS, None), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(leaving);
    });
    assert_eq!(activated, Ok(()));
    assert!(!scene.paused(&ann[0]));
}

#[tokio::test]
async fn what_idles_and_holds_more_than_it_was_promised_has_to_go() {
    let scene = Scene::new(Background::Low);
    let (idle, modest) = (scene.sandbox("ann").await.unwrap(), scene.sandbox("ann").await.unwrap());
    scene.holds(&idle, LIMITS.memory_bytes * 2);
    scene.holds(&modest, LIMITS.memory_bytes);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let over = scene.owners.divide_processors().await;
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].held.memory_bytes, LIMITS.memory_bytes * 2);
}

#[tokio::test]
async fn the_owner_who_holds_most_gives_the_largest_sandbox() {
    let scene = Scene::new(Background::Low);
    let mut ann = Vec::new();
    for part in 1..=4 {
        ann.push(scene.sandbox("ann").await.unwrap());
        scene.holds(&ann[part - 1], LIMITS.memory_bytes * part as u64 / 2);
    }
    let bob = scene.sandbox("bob").await.unwrap();
    scene.holds(&bob, LIMITS.memory_bytes * 3);
    assert_eq!(scene.too_much().await, [0; 0], "there is room");
    // More than one owner may hold, although the machine has more.
    scene.holds(&ann[3], LIMITS.memory_bytes * 6);
    let runs = [&ann[3], &ann[2], &bob].map(Held::run);
    assert_eq!(scene.too_much().await, [6]);
    assert_eq!(runs.map(|run| run.is_evicted()), [true, false, false]);
    scene.holds(&ann[3], 0);
    // One sandbox is bounded by its own limits, unless the machine is short.
    scene.holds(&bob, LIMITS.memory_bytes * 9);
    assert_eq!(scene.too_much().await, [0; 0]);
    scene.holds(&ann[0], LIMITS.memory_bytes * 3);
    assert_eq!(scene.too_much().await, [9], "bob's, who holds most");
}

#[tokio::test]
async fn who_pauses_a_sandbox_has_it_stand_still_until_it_is_used_and_no_run_is_held_up() {
    let scene = Scene::new(Background::Full);
    let held = scene.sandbox("ann").await.unwrap();
    let run = held.run();
    let refused = held.membership.pause().await;
    assert!(matches!(refused, Err(NotPaused::RunGoesOn)), "{refused:?}");
    assert!(!scene.paused(&held) && !held.membership.is_paused());
    drop(run);

    // A command that somebody waits for stands still as well, and does not count as use.
    let command = held.activity.begin(What::Command);
    for _ in 0..2 {
        held.membership.pause().await.expect("nothing is in the way");
        assert!(scene.paused(&held) && held.membership.is_paused());
    }
    scene.owners.divide_processors().await;
    assert!(scene.paused(&held), "it stays so");
    held.membership.activate(LIMITS, None).await.unwrap();
    assert!(!scene.paused(&held) && !held.membership.is_paused());
    drop(command);
}

#[tokio::test]
async fn a_paused_sandbox_is_promised_no_more_than_it_holds() {
    let scene = Scene::new(Background::Full);
    let mut ann = Vec::new();
    for _ in 0..8 {
        ann.push(scene.sandbox("ann").await.unwrap());
    }
    assert!(scene.sandbox("ann").await.is_err());
    ann[0].membership.pause().await.expect("nothing is in the way");
    scene.owners.divide_processors().await;
    ann.push(scene.sandbox("ann").await.expect("there is room"));
    let refused = ann[0].membership.activate(LIMITS, Some(Instant::now())).await;
    assert!(refused.is_err() && scene.paused(&ann[0]) && ann[0].membership.is_paused());
}

#[tokio::test]
async fn as_many_have_to_go_at_once_as_it_takes() {
    let scene = Scene::new(Background::Low);
    let mut ann = Vec::new();
    for part in 1..=6 {
        ann.push(scene.sandbox("ann").await.unwrap());
        scene.holds(&ann[part - 1], LIMITS.memory_bytes * 2);
    }
    let bob = scene.sandbox("bob").await.unwrap();
    scene.holds(&bob, LIMITS.memory_bytes * 2);
    assert_eq!(scene.too_much().await, [2, 2], "8 of one user are left");
    for evicted in scene.owners.too_much(scene.backend.footprint()).await {
        scene.owners.leaves(&evicted.sandbox);
    }
    assert_eq!(scene.too_much().await, [0; 0], "what they held is on its way");
}

#[tokio::test]
async fn what_idles_cannot_come_to_more_together_than_is_left_of_their_owner() {
    let scene = Scene::new(Background::Low);
    let mut ann = vec![scene.sandbox("ann").await.unwrap()];
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let look = async || {
        for _ in 0..2 {
            scene.owners.divide_processors().await;
        }
    };
    look().await;
    assert_eq!(scene.held_to(&ann[0]), None, "there is room for what it was promised");
    for _ in 0..3 {
        for _ in 0..7 {
            ann.push(scene.sandbox("ann").await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(1100)).await;
        look().await;
    }
    until(|| ann.iter().all(|held| scene.held_to(held).is_some())).await;
    let sum: u64 = ann.iter().filter_map(|held| scene.held_to(held)).sum();
    let bound = u64::from(LIMITS.processes) * 8;
    assert!(sum <= bound + bound / 8, "{sum} of {bound}");

    ann[3].membership.activate(LIMITS, None).await.unwrap();
    assert_eq!(scene.held_to(&ann[3]), None, "before it is used");
    look().await;
    assert_eq!(scene.held_to(&ann[3]), None);
}

#[tokio::test]
async fn an_owner_has_so_many_open_files_however_many_sandboxes() {
    let scene = Scene::new(Background::Low);
    let mut sandboxes = Vec::new();
    for (owner, files) in [("ann", 60_000), ("ann", 70_000), ("ann", 50_000), ("bob", 100_000)] {
        let held = scene.sandbox(owner).await.unwrap();
        scene.backend.sandbox(held.number).set_open_files(files);
        sandboxes.push(held);
    }
    let gone = scene.owners.too_many_files().await;
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].sandbox.open_files().await, 70_000);
    scene.owners.leaves(&gone[0].sandbox);
    assert!(scene.owners.too_many_files().await.is_empty(), "it is on its way");
}
