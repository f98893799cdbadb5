//! Making, locking, unlocking and wiping a profile.

use std::fs;

use piquet_protocol::store::{Batch, Retention, Store, StoreError};
use zeroize::Zeroizing;

use super::support::{Call, Fate, Faulty, Home, copy_all, erase, key, put, put_secret, secret, values};
use crate::store::header::{BLOCK, Block, HEADER, Opens};
use crate::store::memory::SecretKey;
use crate::store::migrate::{Format, Step};
use crate::store::record::MAX_RECORD;
use crate::store::unlock::SlotKeys;
use crate::store::wants_passphrase;
use crate::store::{DiskStore, KdfCost, OpenError, Unlock, wipe};

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(Zeroizing::new(text.into()))
}

fn open_with(home: &Home, unlock: &Unlock) -> Result<DiskStore, OpenError> {
    DiskStore::open(&home.dir(), unlock, &home.machine()).map(|opened| opened.store)
}

fn code<T>(result: Result<T, OpenError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[test]
fn a_new_profile_keeps_what_is_committed() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, b"hello")).unwrap();
    drop(store);
    assert_eq!(home.open().get(&key(1)), Ok(Some(b"hello".to_vec())));
}

#[test]
fn a_profile_is_made_only_where_there_is_none_and_opened_only_where_there_is_one() {
    let home = Home::new();
    assert_eq!(code(home.try_open()), "no-profile");
    drop(home.create());
    let again = DiskStore::create(&home.dir(), &Unlock::KeyFile, KdfCost::FLOOR, &home.machine());
    assert_eq!(code(again), "profile-exists");
}

#[test]
fn one_process_at_a_time() {
    let home = Home::new();
    let store = home.create();
    assert_eq!(code(home.try_open()), "profile-locked");
    drop(store);
    assert_eq!(code(home.try_open()), "ok");
}

#[cfg(unix)]
#[test]
fn other_users_see_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.create().commit(put(1, b"x")).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.dir()), 0o700);
    for name in ["header", "vault", "key", "lock"] {
        assert_eq!(mode(home.dir().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(home.segments()[0].clone()), 0o600);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_could_read_is_closed_to_them() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(home.dir()).unwrap();
    open(&home.dir(), 0o755);
    let store = home.create();
    assert_eq!(mode(&home.dir()), 0o700, "it was there before");
    assert!(store.is_private());
    drop(store);
    // As a copy may come out.
    let folders = ["", "journal", "index"].map(|name| home.dir().join(name));
    let files = ["header", "vault", "key", "lock"].map(|name| home.dir().join(name));
    folders.iter().for_each(|path| open(path, 0o777));
    files.iter().for_each(|path| open(path, 0o644));
    assert!(home.open().is_private());
    assert!(folders.iter().all(|path| mode(path) == 0o700));
    assert!(files.iter().all(|path| mode(path) == 0o600));
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_the_stores_alone_keeps_its_permissions_and_is_told_of() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::with_profile();
    let mode = || fs::metadata(home.dir()).unwrap().permissions().mode() & 0o7777;
    let open = |mode| fs::set_permissions(home.dir(), fs::Permissions::from_mode(mode)).unwrap();
    fs::write(home.dir().join("letter"), "mine").unwrap();
    open(0o755);
    assert!(home.open().is_private(), "what is the store's can't be opened");
    assert_eq!(mode(), 0o755);
    open(0o1777);
    assert!(!home.open().is_private(), "others could put a header in the place of this one");
    assert_eq!(mode(), 0o1777);
}

#[test]
fn a_passphrase_can_be_given_changed_and_taken_away() {
    let home = Home::new();
    let mut store = home.create();
    assert!(!wants_passphrase(&home.dir()).unwrap());
    store.commit(put(1, b"hello")).unwrap();
    store.commit(put_secret(1, b"secret")).unwrap();

    store.change_passphrase(&passphrase("six words")).unwrap();
    drop(store);
    assert!(wants_passphrase(&home.dir()).unwrap());
    assert!(!home.dir().join("key").exists(), "the plain key is gone");
    assert_eq!(code(home.try_open()), "wrong-passphrase");
    assert_eq!(code(open_with(&home, &passphrase("sixwords"))), "wrong-passphrase");

    let mut store = open_with(&home, &passphrase("six words")).unwrap();
    store.change_passphrase(&passphrase("six others")).unwrap();
    drop(store);
    assert_eq!(code(open_with(&home, &passphrase("six words"))), "wrong-passphrase");

    let mut store = open_with(&home, &passphrase("six others")).unwrap();
    assert_eq!(values(&store), [b"hello"]);
    assert_eq!(secret(&store, 1), Some(b"secret".to_vec()));
    store.change_passphrase(&Unlock::KeyFile).unwrap();
    drop(store);
    assert_eq!(values(&home.open()), [b"hello"]);
}

fn master_key(block: &Block, home: &Home, text: &str) -> SecretKey {
    match block.unlock(&mut SlotKeys::new(&home.dir(), &passphrase(text))) {
        Ok(Opens::Profile(_, master)) => master,
        _ => panic!("{text} opens no profile"),
    }
}

#[test]
fn an_old_header_kept_elsewhere_opens_nothing_after_a_change_of_passphrase() {
    let home = Home::with_profile();
    let mut store = home.open();
    store.change_passphrase(&passphrase("old")).unwrap();
    let old = fs::read(home.dir().join(HEADER)).unwrap();
    store.change_passphrase(&passphrase("new")).unwrap();
    let master = master_key(&store.keyring.header.block, &home, "new");
    drop(store);
    let new = fs::read(home.dir().join(HEADER)).unwrap();
    for place in [0, BLOCK] {
        // The old block in the place of either, with today's vault and the other block of today.
        let block = old.chunks(BLOCK).find(|block| block.starts_with(b"piquet")).unwrap();
        let mut mixed = new.clone();
        mixed[place..place + BLOCK].copy_from_slice(block);
        fs::write(home.dir().join(HEADER), &mixed).unwrap();
        assert_ne!(code(open_with(&home, &passphrase("old"))), "ok");
    }
    let (_, block) = crate::store::header::Header::read(&home.dir(), 1).unwrap().pop().unwrap();
    let old_master = master_key(&block, &home, "old");
    assert_ne!(*old_master, *master, "nor does the key it leads to open today's");
}

#[test]
fn a_block_no_longer_in_force_is_noise_on_the_disk_and_then_discarded() {
    let home = Home::with_profile();
    let disk = Faulty::new(|_| Fate::Done);
    let mut store = home.open_on(&disk).unwrap();
    store.commit(put_secret(1, b"secret")).unwrap();
    let calls = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = calls.clone();
    disk.plan(move |call| {
        sink.lock().unwrap().push(call);
        Fate::Done
    });
    store.commit(erase(1)).unwrap();
    let calls = calls.lock().unwrap();
    assert!(calls.ends_with(&[Call::Write(BLOCK), Call::Sync, Call::Discard]), "{calls:?}");
    let header = fs::read(home.dir().join(HEADER)).unwrap();
    assert_eq!(header.chunks(BLOCK).filter(|block| block.starts_with(b"piquet")).count(), 1);
}

#[test]
fn renewing_the_wrapping_of_a_key_file_keeps_it_working() {
    let home = Home::new();
    let mut store = home.create();
    store.change_passphrase(&Unlock::KeyFile).unwrap();
    drop(store);
    assert_eq!(code(home.try_open()), "ok");
}

#[test]
fn a_lost_key_file_opens_nothing() {
    let home = Home::with_profile();
    fs::write(home.dir().join("key"), [0; 32]).unwrap();
    assert_eq!(code(home.try_open()), "wrong-passphrase");
    fs::remove_file(home.dir().join("key")).unwrap();
    assert_eq!(code(home.try_open()), "wrong-passphrase");
}

#[test]
fn a_damaged_header_or_vault_is_said_so() {
    let damages = [
        (HEADER, vec![0; 2 * BLOCK], "header-damaged"),
        (HEADER, vec![], "header-damaged"),
        ("vault", vec![1; 5000], "vault-damaged"),
        ("vault", vec![], "vault-damaged"),
    ];
    for (name, bytes, expected) in damages {
        let home = Home::with_profile();
        fs::write(home.dir().join(name), bytes).unwrap();
        assert_eq!(code(home.try_open()), expected);
    }
}

/// Adds padding, as a step of a later version might add a field.
pub(super) const NEXT: Format = Format {
    version: 2,
    steps: &[Step {
        from: 1,
        run: |_, mut plain| {
            let longer = plain.len() + 4096;
            plain.resize(longer, 0);
            Ok(plain)
        },
    }],
};

#[test]
fn an_older_profile_is_migrated_once_and_then_refused_by_the_older_program() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, b"hello")).unwrap();
    store.commit(put_secret(1, b"secret")).unwrap();
    drop(store);
    for _ in 0..2 {
        let disk = std::sync::Arc::new(crate::store::files::RealDisk);
        let store =
            DiskStore::open_on(disk, &home.dir(), &Unlock::KeyFile, &home.machine(), &NEXT).unwrap().store;
        assert_eq!(values(&store), [b"hello"]);
        assert_eq!(secret(&store, 1), Some(b"secret".to_vec()));
    }
    assert_eq!(code(home.try_open()), "newer-version");
    assert_eq!(code(wants_passphrase(&home.dir())), "newer-version");
}

/// A profile as the first version wrote it, with "hello" at 1 and the secret "secret" at 1; its key lies in it.
fn first_version() -> Home {
    let home = Home::new();
    let fixture = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/tests/version-1");
    copy_all(&fixture, home.dir().parent().unwrap());
    home
}

#[test]
fn a_profile_of_the_first_version_opens_for_ever() {
    let home = first_version();
    let opened = home.try_open().unwrap();
    assert_eq!(opened.continuity, crate::store::Continuity::Same);
    assert_eq!(values(&opened.store), [b"hello"]);
    assert_eq!(secret(&opened.store, 1), Some(b"secret".to_vec()));
    assert_eq!(opened.store.check(), Ok(vec![]));
    drop(opened);
    let home = first_version();
    let disk = std::sync::Arc::new(crate::store::files::RealDisk);
    let next = DiskStore::open_on(disk, &home.dir(), &Unlock::KeyFile, &home.machine(), &NEXT).unwrap().store;
    assert_eq!((values(&next), secret(&next, 1)), (vec![b"hello".to_vec()], Some(b"secret".to_vec())));
    drop(next);
    assert_eq!(code(home.try_open()), "newer-version");
}

#[test]
fn a_version_without_a_way_to_the_present_is_refused() {
    let home = Home::with_profile();
    let format = Format { version: 3, steps: &[] };
    let disk = std::sync::Arc::new(crate::store::files::RealDisk);
    let opened = DiskStore::open_on(disk, &home.dir(), &Unlock::KeyFile, &home.machine(), &format);
    assert_eq!(code(opened), "vault-damaged");
    assert_eq!(code(home.try_open()), "ok", "nothing was changed");
}

#[test]
fn wiping_needs_no_passphrase_and_leaves_nothing() {
    let home = Home::new();
    home.create().commit(put(1, b"hello")).unwrap();
    fs::write(home.dir().join("control"), "of a node that was killed").unwrap();
    wipe(&home.dir(), &home.machine(), || ()).unwrap();
    assert!(!home.dir().exists());
    assert_eq!(super::support::files(home.dir().parent().unwrap()), Vec::<std::path::PathBuf>::new());
    assert_eq!(code(home.try_open()), "no-profile");
    assert_eq!(code(wipe(&home.dir(), &home.machine(), || ())), "no-profile");
}

#[test]
fn wiping_spares_files_that_are_not_the_stores() {
    let home = Home::new();
    drop(home.create());
    fs::write(home.dir().join("letter"), "mine").unwrap();
    wipe(&home.dir(), &home.machine(), || ()).unwrap();
    assert_eq!(super::support::files(&home.dir()), [home.dir().join("letter")]);
}

#[test]
fn after_the_first_step_of_a_wipe_nothing_opens() {
    let home = Home::with_profile();
    let header = fs::read(home.dir().join(HEADER)).unwrap();
    fs::remove_file(home.dir().join(HEADER)).unwrap();
    fs::write(home.dir().join(HEADER), vec![7; header.len()]).unwrap();
    assert_eq!(code(home.try_open()), "header-damaged");
    wipe(&home.dir(), &home.machine(), || ()).unwrap();
    assert!(!home.dir().exists());
}

#[test]
fn a_profile_in_use_is_destroyed_all_the_same() {
    let home = Home::new();
    let mut store = home.create();
    let header = fs::File::open(home.dir().join(HEADER)).unwrap();
    let bytes = || {
        let mut bytes = Vec::new();
        std::io::Seek::rewind(&mut &header).unwrap();
        std::io::Read::read_to_end(&mut &header, &mut bytes).unwrap();
        bytes
    };
    let opens = || bytes().windows(6).any(|found| found == b"piquet");
    // It goes on writing, its keys included, while it is being destroyed; then it ends.
    let busy = || {
        store.commit(put_secret(1, b"secret")).unwrap();
        store.commit(erase(1)).unwrap();
        assert!(opens(), "as it does with every erasure");
        drop(store);
    };
    wipe(&home.dir(), &home.machine(), busy).unwrap();
    assert!(!opens(), "not even in what has no name any more");
    assert!(!home.dir().exists());
}

#[test]
fn a_profile_whose_user_does_not_end_is_destroyed_and_that_is_said() {
    let home = Home::new();
    let mut store = home.create();
    assert_eq!(code(wipe(&home.dir(), &home.machine(), || ())), "profile-locked");
    assert!(!home.dir().exists());
    assert!(store.commit(put_secret(1, b"secret")).is_err(), "nothing comes back");
    assert!(!home.dir().exists());
}

#[test]
fn segments_are_apart_by_class_week_and_opening() {
    let home = Home::new();
    let mut store = home.create();
    let counts: Vec<usize> = [0, 0, 1, 1]
        .into_iter()
        .map(|week| {
            store.week = if week == 0 { || 0 } else { || 1 };
            store.commit(put(1, b"x")).unwrap();
            home.segments().len()
        })
        .collect();
    assert_eq!(counts, [1, 1, 2, 2]);
    let mut chat = Batch::default();
    chat.put(key(2), Retention::Chat, vec![]);
    store.commit(chat).unwrap();
    assert_eq!(home.segments().len(), 3);
    drop(store);
    home.open().commit(put(1, b"y")).unwrap();
    assert_eq!(home.segments().len(), 4);
}

#[test]
fn empty_files_of_segments_that_never_came_to_be_are_removed() {
    let home = Home::new();
    home.create().commit(put(1, b"x")).unwrap();
    fs::write(home.dir().join("journal/00000007"), b"").unwrap();
    fs::write(home.dir().join("journal/note"), b"").unwrap();
    drop(home.open());
    let names: Vec<_> = home.segments().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["00000000", "note"]);
}

#[test]
fn large_records_and_secrets_are_kept_and_too_large_ones_refused() {
    let home = Home::new();
    let mut store = home.create();
    store.commit(put(1, &[7; 300_000])).unwrap();
    store.commit(put_secret(1, &[8; 300_000])).unwrap();
    assert!(matches!(store.commit(put(2, &vec![7; MAX_RECORD + 1])), Err(StoreError::Io(_))));
    drop(store);
    let store = home.open();
    assert_eq!(store.get(&key(1)), Ok(Some(vec![7; 300_000])));
    assert_eq!(secret(&store, 1), Some(vec![8; 300_000]));
    assert_eq!(store.get(&key(2)), Ok(None));
}
