//! The store on disk and the one in memory agree, whatever is done to them.

use std::fs;

use piquet_protocol::store::{Batch, Key, MemoryStore, Retention, Store, Table};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use zeroize::Zeroizing;

use super::support::Home;
use crate::store::disk::DiskStore;

const CLASSES: [Retention; 5] =
    [Retention::Kept, Retention::Record, Retention::Chat, Retention::Short, Retention::Passing];

#[derive(Clone, Debug)]
enum Act {
    Put(u8, u8, u8, usize),
    Delete(u8, u8),
    PutSecret(u8, u8, usize),
    Erase(u8, u8),
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Act>),
    Reopen,
    LoseIndex,
    NextWeek,
}

fn act() -> impl Strategy<Value = Act> {
    let size = prop_oneof![4 => 0usize..200, 1 => 60_000usize..90_000];
    let secret_size = prop_oneof![0usize..70, 1000usize..2000];
    let order = 0u8..12;
    prop_oneof![
        5 => (0u8..3, order.clone(), any::<u8>(), size).prop_map(|(s, o, c, n)| Act::Put(s, o, c, n)),
        2 => (0u8..3, order.clone()).prop_map(|(s, o)| Act::Delete(s, o)),
        1 => (0u8..2, 0u8..4, secret_size).prop_map(|(s, o, n)| Act::PutSecret(s, o, n)),
        1 => (0u8..2, 0u8..4).prop_map(|(s, o)| Act::Erase(s, o)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => prop::collection::vec(act(), 0..8).prop_map(Step::Commit),
        2 => Just(Step::Reopen),
        1 => Just(Step::LoseIndex),
        1 => Just(Step::NextWeek),
    ]
}

fn key(scope: u8, order: u8) -> Key {
    Key::new(Table::Log, vec![scope], u128::from(order) << 90 | u128::from(order))
}

fn batch(acts: &[Act], fill: u8) -> Batch {
    let mut batch = Batch::default();
    for act in acts {
        match *act {
            Act::Put(scope, order, class, len) => {
                batch.put(key(scope, order), CLASSES[usize::from(class) % 5], vec![fill; len]);
            }
            Act::Delete(scope, order) => batch.delete(key(scope, order)),
            Act::PutSecret(scope, order, len) => {
                batch.put_secret(key(scope, order), Zeroizing::new(vec![fill; len]));
            }
            Act::Erase(scope, order) => batch.erase(key(scope, order)),
        }
    }
    batch
}

fn assert_alike(disk: &DiskStore, memory: &MemoryStore) {
    for scope in 0..3 {
        for (from, to, limit) in [(0, u128::MAX, usize::MAX), (3 << 90, 8 << 90, 3), (9, 2, 5)] {
            let (scope, table) = ([scope], Table::Log);
            assert_eq!(
                disk.range(table, &scope, from, to, limit),
                memory.range(table, &scope, from, to, limit)
            );
            assert_eq!(
                disk.range_back(table, &scope, from, to, limit),
                memory.range_back(table, &scope, from, to, limit)
            );
        }
        for order in 0..12 {
            let key = key(scope, order);
            assert_eq!(disk.get(&key), memory.get(&key));
            assert_eq!(disk.secret(&key), memory.secret(&key));
        }
    }
}

fn run(steps: Vec<Step>) {
    let home = Home::new();
    let (mut disk, mut memory) = (home.create(), MemoryStore::new());
    for (step, fill) in steps.into_iter().zip(1u8..) {
        match step {
            Step::Commit(acts) => {
                disk.commit(batch(&acts, fill)).unwrap();
                memory.commit(batch(&acts, fill)).unwrap();
            }
            Step::NextWeek => disk.week = || u32::MAX,
            Step::Reopen => {
                drop(disk);
                disk = home.open();
            }
            Step::LoseIndex => {
                drop(disk);
                fs::remove_dir_all(home.dir().join("index")).unwrap();
                disk = home.open();
            }
        }
        assert_alike(&disk, &memory);
    }
    assert_eq!(disk.check(), Ok(vec![]), "a store in use has no damage");
}

#[test]
fn both_stores_agree_through_reopening_and_loss_of_the_index() {
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 1..16);
    let compared = runner.run(&steps, |steps| {
        run(steps);
        Ok(())
    });
    compared.unwrap();
}
