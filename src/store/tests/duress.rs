//! A duress passphrase: what was there is gone for good, and what opens is like any new profile.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use piquet_protocol::store::{Store, StoreError};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::support::{
    Call, Fate, Faulty, Home, copy_all, die_at, files, key, put, put_secret, secret, values,
};
use crate::store::disk::Opened;
use crate::store::files::{Disk, RealDisk};
use crate::store::header::{BLOCK, HEADER};
use crate::store::migrate::FORMAT;
use crate::store::unlock::DERIVED;
use crate::store::{Continuity, DiskStore, KdfCost, Machine, OpenError, Unlock};

const FIRST: &str = "six words for every day";
const DURESS: &str = "six words for whoever forces me";

/// Where a slot's wrapped keys lie in a block: behind magic, version, profile, sequence, kind and costs.
const SLOTS: [std::ops::Range<usize>; 2] = [77..149, 181..253];
const SALTS: [std::ops::Range<usize>; 2] = [45..77, 149..181];

fn words(text: &str) -> Unlock {
    Unlock::Passphrase(text.to_owned().into())
}

fn duress(text: &str) -> Option<Zeroizing<String>> {
    Some(text.to_owned().into())
}

fn machine(root: &Path) -> Machine {
    Machine::new(*b"this machine", root.join("state"))
}

fn open_on(disk: Arc<dyn Disk>, root: &Path, text: &str) -> Result<Opened, OpenError> {
    DiskStore::open_on(disk, &root.join("profile"), &words(text), &machine(root), &FORMAT)
}

fn open(root: &Path, text: &str) -> Result<Opened, OpenError> {
    open_on(Arc::new(RealDisk), root, text)
}

fn code<T>(result: Result<T, OpenError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

fn root(home: &Home) -> PathBuf {
    home.dir().parent().unwrap().to_path_buf()
}

fn protected() -> (Home, DiskStore) {
    let home = Home::new();
    let store = DiskStore::create(&home.dir(), &words(FIRST), KdfCost::FLOOR, &home.machine()).unwrap();
    (home, store)
}

/// A profile with a record, secrets of both sizes and both passphrases.
fn forced() -> Home {
    let (home, mut store) = protected();
    store.commit(put(1, b"a record")).unwrap();
    store.commit(put_secret(1, b"a small secret")).unwrap();
    store.commit(put_secret(2, &[7; 500])).unwrap();
    store.set_duress(duress(DURESS)).unwrap();
    home
}

fn copied(image: &TempDir) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    copy_all(image.path(), root.path());
    root
}

fn is_whole(store: &DiskStore) -> bool {
    values(store) == [b"a record"]
        && secret(store, 1) == Some(b"a small secret".to_vec())
        && secret(store, 2) == Some(vec![7; 500])
}

fn is_empty(store: &DiskStore) -> bool {
    let vault = &store.keyring.vault;
    values(store).is_empty()
        && secret(store, 1).is_none()
        && vault.segments.is_empty()
        && vault.secrets.is_empty()
}

/// The block in force: the only one that can be read.
fn block(root: &Path) -> Vec<u8> {
    let header = fs::read(root.join("profile").join(HEADER)).unwrap();
    let mut blocks: Vec<_> = header.chunks(BLOCK).filter(|block| block.starts_with(b"piquet")).collect();
    assert_eq!(blocks.len(), 1);
    blocks.remove(0).to_vec()
}

#[test]
fn a_duress_passphrase_opens_an_empty_profile_and_nothing_opens_the_old_one() {
    let home = forced();
    let opened = open(&root(&home), FIRST).unwrap();
    assert!(is_whole(&opened.store), "the first passphrase does what it did");
    drop(opened);

    let opened = open(&root(&home), DURESS).unwrap();
    assert!(is_empty(&opened.store));
    assert_eq!((opened.continuity, opened.store.writable()), (Continuity::Same, Ok(())));
    assert_eq!((opened.store.check(), opened.store.damage()), (Ok(vec![]), vec![]));
    drop(opened);
    assert_eq!(code(open(&root(&home), FIRST)), "wrong-passphrase");

    // It lives as any profile does.
    let mut store = open(&root(&home), DURESS).unwrap().store;
    store.commit(put(1, b"new")).unwrap();
    store.commit(put_secret(1, b"new")).unwrap();
    drop(store);
    let mut store = open(&root(&home), DURESS).unwrap().store;
    assert_eq!((values(&store), secret(&store, 1)), (vec![b"new".to_vec()], Some(b"new".to_vec())));
    store.change_passphrase(&words(FIRST)).unwrap();
    store.set_duress(duress(DURESS)).unwrap();
    drop(store);
    assert_eq!(values(&open(&root(&home), FIRST).unwrap().store), [b"new"]);
    assert!(is_empty(&open(&root(&home), DURESS).unwrap().store));
}

#[test]
fn whichever_passphrase_is_typed_one_derivation_says_what_it_is() {
    let home = forced();
    let image = home.image();
    for (typed, expected) in [(FIRST, "ok"), (DURESS, "ok"), ("another", "wrong-passphrase")] {
        let root = copied(&image);
        let before = DERIVED.get();
        assert_eq!(code(open(root.path(), typed)), expected);
        assert_eq!(DERIVED.get() - before, 1, "{typed}");
    }
}

#[test]
fn a_block_looks_the_same_with_a_duress_passphrase_and_without() {
    for _ in 0..2 {
        let (home, mut store) = protected();
        let without = block(&root(&home));
        store.set_duress(duress(DURESS)).unwrap();
        let set = block(&root(&home));
        store.change_passphrase(&words("other words")).unwrap();
        let changed = block(&root(&home));
        store.set_duress(None).unwrap();
        let unset = block(&root(&home));
        drop(store);
        assert_eq!(code(open(&root(&home), DURESS)), "wrong-passphrase", "it was taken away");

        let differs = |a: &[u8], b: &[u8]| SLOTS.map(|slot| a[slot.clone()] != b[slot]);
        let steps = [differs(&without, &set), differs(&set, &changed), differs(&changed, &unset)];
        for (step, differ) in steps.iter().enumerate() {
            assert_eq!(
                differ.iter().filter(|differs| **differs).count(),
                1,
                "step {step}: one slot, as ever"
            );
        }
        for block in [&without, &set, &changed, &unset] {
            assert_eq!(block[SALTS[0].clone()], block[SALTS[1].clone()], "one salt");
            for slot in SLOTS {
                let bytes: std::collections::BTreeSet<_> = block[slot].iter().collect();
                assert!(bytes.len() > 40, "noise, or as good as");
            }
            assert!(block[325..BLOCK - 32].iter().all(|byte| *byte == 0), "and nothing else");
        }
    }
}

#[test]
fn after_it_the_header_is_that_of_a_new_profile() {
    let (made, store) = protected();
    drop(store);
    let home = forced();
    let before = block(&root(&home));
    drop(open(&root(&home), DURESS).unwrap());
    let (made, block) = (block(&root(&made)), block(&root(&home)));
    let public = |block: &[u8]| [block[..12].to_vec(), block[28..45].to_vec()].concat();
    assert_eq!(public(&made), public(&block), "version, sequence, kind, costs");
    assert_ne!(before[12..28], block[12..28], "another profile");
    assert_ne!(before[SALTS[0].clone()], block[SALTS[0].clone()], "nothing leads to it from an old image");
    assert_eq!(block[SALTS[0].clone()], block[SALTS[1].clone()]);
    let header = fs::read(home.dir().join(HEADER)).unwrap();
    let other = header.chunks(BLOCK).find(|block| !block.starts_with(b"piquet")).unwrap();
    assert!(other.iter().filter(|byte| **byte == 0).count() < 100, "noise in the other place");
    let counters: Vec<_> = files(&root(&home).join("state"));
    assert_eq!(counters.len(), 1, "the machine has forgotten the old one: {counters:?}");
}

#[test]
fn of_a_profile_destroyed_under_duress_no_key_is_left_in_any_file() {
    let home = forced();
    let store = open(&root(&home), FIRST).unwrap().store;
    let vault = &store.keyring.vault;
    let mut keys: Vec<Vec<u8>> = vault.segments.values().map(|segment| segment.key.to_vec()).collect();
    keys.push(vault.index_key.to_vec());
    keys.push(b"a small secret".to_vec());
    let old_vault = fs::read(home.dir().join("vault")).unwrap();
    drop(store);
    let old = fs::read(home.dir().join(HEADER)).unwrap();
    // Also what has no name any more.
    let held = ["header", "vault"].map(|name| fs::File::open(home.dir().join(name)).unwrap());
    let segments = home.segments();
    assert!(segments.len() > 1);

    let store = open(&root(&home), DURESS).unwrap().store;
    let mut left: Vec<_> = files(&root(&home)).iter().map(|path| fs::read(path).unwrap()).collect();
    left.push(store.keyring.vault.encode().to_vec());
    for mut file in &held {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        left.push(bytes);
    }
    let block = old.chunks(BLOCK).find(|block| block.starts_with(b"piquet")).unwrap();
    // Slots, wrapped vault key, the vault itself.
    keys.extend([77..149, 181..253, 253..325].map(|range| block[range].to_vec()));
    keys.push(old_vault[..64].to_vec());
    for (number, key) in keys.iter().enumerate() {
        let found = left.iter().any(|bytes| bytes.windows(key.len()).any(|window| window == key));
        assert!(!found, "key {number}");
    }
    assert_eq!(home.segments(), Vec::<PathBuf>::new());
    drop(store);
    // Nor does the old vault help, or an old segment.
    fs::write(home.dir().join("vault"), old_vault).unwrap();
    assert_eq!(code(open(&root(&home), FIRST)), "wrong-passphrase");
    assert_eq!(code(open(&root(&home), DURESS)), "vault-damaged");
}

#[test]
fn the_two_passphrases_must_differ() {
    let (home, mut store) = protected();
    assert_eq!(code(store.set_duress(duress(FIRST))), "same-passphrase");
    store.set_duress(duress(DURESS)).unwrap();
    assert_eq!(code(store.change_passphrase(&words(DURESS))), "same-passphrase");
    store.commit(put(1, b"kept")).unwrap();
    drop(store);
    assert_eq!(values(&open(&root(&home), FIRST).unwrap().store), [b"kept"], "nothing was changed");
}

#[test]
fn a_profile_without_passphrase_has_no_duress_passphrase() {
    let home = Home::new();
    let mut store = home.create();
    assert_eq!(code(store.set_duress(duress(DURESS))), "no-passphrase");
    store.change_passphrase(&words(FIRST)).unwrap();
    store.set_duress(duress(DURESS)).unwrap();
    store.change_passphrase(&Unlock::KeyFile).unwrap();
    store.change_passphrase(&words(FIRST)).unwrap();
    drop(store);
    assert_eq!(code(open(&root(&home), DURESS)), "wrong-passphrase", "it went with the first");
}

#[test]
fn a_new_first_passphrase_leaves_the_duress_passphrase_in_force() {
    let home = forced();
    let mut store = open(&root(&home), FIRST).unwrap().store;
    store.change_passphrase(&words("other words")).unwrap();
    store.change_passphrase(&words("others again")).unwrap();
    store.set_duress(duress("another way out")).unwrap();
    store.change_passphrase(&words(FIRST)).unwrap();
    drop(store);
    assert_eq!(code(open(&root(&home), DURESS)), "wrong-passphrase", "it was changed");
    let opened = open(&root(&home), "another way out").unwrap();
    assert!(is_empty(&opened.store));
}

#[test]
fn an_old_profile_with_two_salts_can_have_a_duress_passphrase() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/vectors/store.json");
    let file: serde_json::Value = serde_json::from_slice(&fs::read(vectors).unwrap()).unwrap();
    let vector = &file["profiles"][1];
    let bytes = |value: &serde_json::Value| {
        let text = value.as_str().unwrap();
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect::<Vec<_>>()
    };
    let home = Home::new();
    fs::create_dir_all(home.dir().join("journal")).unwrap();
    for name in ["header", "vault"] {
        fs::write(home.dir().join(name), bytes(&vector["files"][name])).unwrap();
    }
    for (name, segment) in vector["journal"].as_object().unwrap() {
        fs::write(home.dir().join("journal").join(name), bytes(segment)).unwrap();
    }
    let before = block(&root(&home));
    assert_ne!(before[SALTS[0].clone()], before[SALTS[1].clone()]);
    let first = vector["passphrase"].as_str().unwrap();
    let mut store = open(&root(&home), first).unwrap().store;
    store.set_duress(duress(DURESS)).unwrap();
    drop(store);
    let after = block(&root(&home));
    assert_eq!(after[SALTS[0].clone()], after[SALTS[1].clone()], "one salt from now on");
    assert!(!values(&open(&root(&home), first).unwrap().store).is_empty());
    assert!(is_empty(&open(&root(&home), DURESS).unwrap().store));
    assert_eq!(code(open(&root(&home), first)), "wrong-passphrase");
}

/// What may be left of a profile after its duress passphrase was begun to be carried out: all of it, or nothing
/// that opens; and the duress passphrase finishes it. True if it was whole.
fn whole_or_gone(root: &Path, what: &str) -> bool {
    let before = tempfile::tempdir().unwrap();
    copy_all(root, before.path());
    let whole = match open(root, FIRST) {
        Ok(opened) => {
            assert!(is_whole(&opened.store), "{what}: whole");
            assert_eq!(opened.continuity, Continuity::Same, "{what}");
            true
        }
        Err(error) => {
            assert_eq!(error.code(), "wrong-passphrase", "{what}");
            false
        }
    };
    finishes(before.path(), what);
    if whole {
        finishes(root, what);
        assert_eq!(code(open(root, FIRST)), "wrong-passphrase", "{what}");
    }
    whole
}

fn finishes(root: &Path, what: &str) {
    let opened = open(root, DURESS).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(is_empty(&opened.store), "{what}");
    assert_eq!((opened.continuity, opened.store.writable()), (Continuity::Same, Ok(())), "{what}");
    drop(opened);
    assert_eq!(files(&root.join("state")).len(), 1, "{what}");
    assert_eq!(fs::read_dir(root.join("profile/journal")).unwrap().count(), 0, "{what}");
}

#[cfg(unix)]
#[test]
fn power_that_goes_under_duress_leaves_all_or_nothing() {
    let home = forced();
    let disk = super::recorder::Recorder::new(&root(&home));
    drop(open_on(disk.clone(), &root(&home), DURESS).unwrap());
    let (mut seen, mut whole, mut gone) = (std::collections::BTreeSet::new(), 0, 0);
    for len in 0..=disk.len() {
        disk.images(len, |image, left| {
            let state: Vec<_> = files(image).iter().map(|path| fs::read(path).unwrap()).collect();
            if seen.insert(state) {
                let was_whole = whole_or_gone(image, &format!("step {len}, {left:?}"));
                // Header: two writes, each synced.
                assert!(!was_whole || len < 4, "step {len}, {left:?}: the header goes first");
                *(if was_whole { &mut whole } else { &mut gone }) += 1;
            }
        });
    }
    assert!(whole > 1 && gone > 10, "{whole} whole, {gone} gone");
}

#[test]
fn wherever_a_disk_is_full_under_duress_what_opens_is_empty_and_goes_on() {
    let home = forced();
    let image = home.image();
    let mut refused = 0;
    for fits in 0.. {
        let root = copied(&image);
        let mut writes = 0;
        let disk = Faulty::new(move |call| match call {
            Call::Write(len) => {
                writes += 1;
                match writes.cmp(&(fits + 1)) {
                    std::cmp::Ordering::Less => Fate::Done,
                    std::cmp::Ordering::Equal => Fate::Partly(len / 2, ErrorKind::StorageFull),
                    std::cmp::Ordering::Greater => Fate::Failed(ErrorKind::StorageFull),
                }
            }
            _ => Fate::Done,
        });
        let mut opened = open_on(disk, root.path(), DURESS).unwrap_or_else(|error| panic!("{fits}: {error}"));
        assert!(is_empty(&opened.store), "{fits} writes fit");
        assert_eq!(opened.continuity, Continuity::Same);
        let done = opened.store.writable().is_ok();
        if !done {
            assert_eq!(opened.store.commit(put(1, b"new")), Err(StoreError::Full));
            assert_eq!(opened.store.get(&key(1)), Ok(None));
        }
        drop(opened);
        whole_or_gone(root.path(), &format!("{fits} writes fit"));
        if done {
            break;
        }
        refused += 1;
    }
    assert!(refused > 6, "{refused}");
}

#[test]
fn whatever_step_of_setting_a_duress_passphrase_a_crash_hits_the_profile_opens() {
    let home = forced();
    let image = home.image();
    for n in 1.. {
        let root = copied(&image);
        let disk = Faulty::new(|_| Fate::Done);
        let mut store = open_on(disk.clone(), root.path(), FIRST).unwrap().store;
        die_at(&disk, n);
        let done = store.set_duress(duress("another way out")).is_ok();
        drop(store);
        let (old, new) = (copied(&root), copied(&root));
        let works =
            |root: &TempDir, typed| open(root.path(), typed).is_ok_and(|opened| is_empty(&opened.store));
        let (old, new) = (works(&old, DURESS), works(&new, "another way out"));
        assert!(if done { new && !old } else { old || new }, "dead at call {n}: {old}, {new}");
        assert!(is_whole(&open(root.path(), FIRST).unwrap().store), "dead at call {n}");
        if done {
            return;
        }
    }
}

#[test]
fn the_machine_knows_the_empty_profile_from_the_start() {
    let home = forced();
    let old = home.image();
    drop(open(&root(&home), DURESS).unwrap());
    let image = home.image();
    drop(open(&root(&home), DURESS).unwrap());
    home.restore(&image);
    assert_eq!(open(&root(&home), DURESS).unwrap().continuity, Continuity::RolledBack, "an old image of it");
    let elsewhere = Home::elsewhere();
    elsewhere.restore(&image);
    let copy = DiskStore::open(&elsewhere.dir(), &words(DURESS), &elsewhere.machine()).unwrap();
    assert_eq!(copy.continuity, Continuity::Copied);
    // An image from before opens: against that it does not help. But it writes nothing in its groups.
    home.restore(&old);
    let opened = open(&root(&home), FIRST).unwrap();
    assert!(is_whole(&opened.store));
    assert_eq!(opened.continuity, Continuity::Copied);
}
