use pollster::block_on;

use super::*;
use crate::{Change, Fact, InMemory, Item, Transfer, When};

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn event(operation: &str) -> Event {
    Event {
        time: "2026-01-01T00:00:00Z".to_owned(),
        actor: "tk_1".to_owned(),
        operation: operation.to_owned(),
        status: 200,
        ..Event::default()
    }
}

fn change(operation: &str) -> Change {
    Change::new("2026-01-01T00:00:00Z".parse().unwrap(), event(operation))
}

/// A store in which the tenant `a` has that many entries, two of them in one commit.
fn store(entries: usize) -> InMemory {
    let store = InMemory::default();
    for number in 1..entries {
        let mut change = change("patch");
        if number == 1 {
            change.events.push(event("delete"));
        }
        block_on(store.commit(&tenant("a"), change)).unwrap();
    }
    store
}

/// A change that cuts the log of `a` there, with what stands for it.
fn cut(store: &InMemory, through: u64) -> Change {
    let log = block_on(store.log(&tenant("a"), through - 1, 1)).unwrap();
    let hash = log[0].hash;
    let checkpoint = Checkpoint {
        tenant: "a".to_owned(),
        position: through,
        hash,
        time: "2026-02-01T00:00:00Z".to_owned(),
        cuts_before: 0,
        previous: None,
        key: "k1".to_owned(),
        signature: "good".to_owned(),
    };
    let value = Some(serde_json::to_value(checkpoint).unwrap());
    let mut change = change("retain");
    change.facts.push(Fact { name: CHECKPOINT.to_owned(), value, when: When::Always });
    change.cut = Some(Cut { through, hash });
    change
}

fn trust(checkpoint: &Checkpoint) -> Result<(), String> {
    if checkpoint.signature == "good" { Ok(()) } else { Err("its signature is not good".to_owned()) }
}

fn verified(store: &InMemory) -> Result<Verified, ChainError> {
    block_on(verify(store, &tenant("a"), trust))
}

/// The hashes are what any program computes that knows SHA-256 and RFC 8785: these were worked out without this crate.
#[test]
fn the_hash_of_an_entry_is_what_the_docs_say() {
    let mut event = event("patch");
    event.joined = vec!["b".to_owned(), "ä\"\u{1}".to_owned()];
    assert_eq!(
        canonical(&entry(1, &event)),
        r#"{"actor":"tk_1","joined":["b","ä\"\u0001"],"operation":"patch","position":1,"status":200,"time":"2026-01-01T00:00:00Z"}"#
    );
    let first = ChainHash::first(&tenant("a"));
    assert_eq!(first.to_string(), "9191606c72bacad8b0b227fe724e5250ba2b4c90d4fdb3a48ee850a0c14e46f6");
    let next = first.next(1, &event);
    assert_eq!(next.to_string(), "c62a8a9f63b4e3b9510d125ff48831a0f6e8d1fbe88a2e890caf185f5fcc2e4b");
}

#[test]
fn what_is_logged_is_what_is_hashed() {
    let logged = ChainHash::first(&tenant("a")).extend(6, vec![event("patch")]).next().unwrap();
    let Value::Object(mut shown) = serde_json::to_value(&logged).unwrap() else { panic!("{logged:?}") };
    assert_eq!(shown.remove("hash"), Some(logged.hash.to_string().into()));
    assert_eq!(canonical(&shown.into()), canonical(&entry(7, &event("patch"))));
    let read: Logged = serde_json::from_value(serde_json::to_value(&logged).unwrap()).unwrap();
    assert_eq!(read, logged);
}

#[test]
fn members_are_ordered_as_utf_16_orders_them() {
    let value = serde_json::json!({"\u{10000}": 1, "\u{ffff}": 2, "b": {"z": [], "a": null}, "a": true});
    assert_eq!(canonical(&value), "{\"a\":true,\"b\":{\"a\":null,\"z\":[]},\"\u{10000}\":1,\"\u{ffff}\":2}");
}

#[test]
fn a_hash_is_read_as_it_is_written() {
    let hash = ChainHash::first(&tenant("a"));
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for bad in ["", "0", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
        assert_eq!(bad.parse::<ChainHash>(), Err(ChainHashError), "{bad}");
    }
}

#[test]
fn a_log_verifies_whole_and_cut() {
    let store = store(8);
    let whole = verified(&store).unwrap();
    assert_eq!((whole.entries, whole.position, whole.checkpoint), (8, 8, None));
    block_on(store.commit(&tenant("a"), cut(&store, 3))).unwrap();
    let after = verified(&store).unwrap();
    assert_eq!((after.entries, after.position), (6, 9));
    assert_eq!(after.checkpoint.map(|checkpoint| checkpoint.position), Some(3));
    // What was there before goes on as if nothing had been cut.
    let log = block_on(store.log(&tenant("a"), 0, 100)).unwrap();
    assert_eq!((log[0].position, log[4].hash), (4, whole.head));
    block_on(store.commit(&tenant("a"), cut(&store, 9))).unwrap();
    assert_eq!(verified(&store).unwrap().entries, 1);
}

/// What the store gives out of `a`.
fn items(store: &InMemory) -> Vec<Item> {
    let (sender, items) = std::sync::mpsc::channel();
    let sink = Box::new(move |item| sender.send(item).map_err(std::io::Error::other));
    block_on(store.export(&tenant("a"), sink)).unwrap();
    items.into_iter().collect()
}

fn check(items: impl IntoIterator<Item = Item>) -> Result<Verified, ChainError> {
    let mut check = whole::Check::new(&tenant("a"), None);
    items.into_iter().for_each(|item| _ = check.see(item));
    check.finish(&tenant("a"), trust).map(|(verified, _)| verified)
}

#[test]
fn a_whole_check_misses_what_is_gone_from_the_end() {
    let store = store(8);
    let is_entry = |item: &Item, from: u64| matches!(item, Item::Entry(logged) if logged.position >= from);
    let before = items(&store);
    assert_eq!(check(before.clone()).unwrap().position, 8);
    for (from, last) in [(8, 7), (5, 4), (1, 0)] {
        let error = check(before.iter().filter(|item| !is_entry(item, from)).cloned()).unwrap_err();
        assert!(matches!(error, ChainError::Ends { ends, written: 8 } if ends == last), "{error}");
    }
    block_on(store.commit(&tenant("a"), cut(&store, 3))).unwrap();
    let after = items(&store);
    assert_eq!(check(after.clone()).unwrap().entries, 6);
    // Entries and checkpoint alike.
    let bare = after.iter().filter(|item| !is_entry(item, 1) && !matches!(item, Item::Fact { .. }));
    assert!(matches!(check(bare.cloned()).unwrap_err(), ChainError::Ends { ends: 0, written: 9 }));
    // Behind a checkpoint that was trusted.
    let cut = after.iter().filter(|item| !is_entry(item, 4));
    assert!(matches!(check(cut.cloned()).unwrap_err(), ChainError::Ends { ends: 3, written: 9 }));
    let headless = after.iter().filter(|item| !matches!(item, Item::Fact { .. }));
    assert!(matches!(check(headless.cloned()).unwrap_err(), ChainError::Gap { expected: 1, found: 4 }));
}

#[test]
fn a_cut_in_the_middle_of_a_whole_check_is_no_gap() {
    let store = store(8);
    block_on(store.commit(&tenant("a"), cut(&store, 2))).unwrap();
    // The one moment of a check at which something of somebody else's runs.
    let cutting = |checkpoint: &Checkpoint| {
        let change = cut(&store, checkpoint.position + 3);
        block_on(store.commit(&tenant("a"), change)).map(drop).map_err(|error| error.to_string())
    };
    let paged = block_on(verify(&store, &tenant("a"), cutting)).unwrap_err();
    assert!(matches!(paged, ChainError::Gap { expected: 3, found: 6 }), "{paged}");
    let whole = block_on(verify_whole(&store, &tenant("a"), cutting)).unwrap();
    assert_eq!((whole.position, whole.entries, whole.checkpoint.unwrap().position), (10, 5, 5));
    let after = block_on(verify_whole(&store, &tenant("a"), trust)).unwrap();
    assert_eq!((after.position, after.checkpoint.unwrap().position), (11, 8));
}

#[test]
fn a_whole_check_tells_the_hash_that_was_asked_for() {
    let store = store(8);
    let log = block_on(store.log(&tenant("a"), 0, 100)).unwrap();
    block_on(store.commit(&tenant("a"), cut(&store, 3))).unwrap();
    for (position, found) in [(0, None), (2, None), (3, Some(log[2].hash)), (7, Some(log[6].hash)), (10, None)] {
        let (_, hash) = block_on(verify_noted(&store, &tenant("a"), Some(position), trust)).unwrap();
        assert_eq!(hash, found, "{position}");
    }
    let nobody = block_on(verify_whole(&store, &tenant("b"), trust)).unwrap();
    assert_eq!((nobody.entries, nobody.position), (0, 0));
}

#[test]
fn an_empty_log_verifies() {
    let verified = verified(&InMemory::default()).unwrap();
    assert_eq!((verified.entries, verified.position, verified.head), (0, 0, ChainHash::first(&tenant("a"))));
}

#[test]
fn a_cut_that_does_not_fit_changes_nothing() {
    let store = store(4);
    let good = cut(&store, 3);
    let beyond = Change { cut: Some(Cut { through: 5, hash: good.cut.unwrap().hash }), ..good.clone() };
    let other = Change { cut: Some(Cut { through: 2, hash: good.cut.unwrap().hash }), ..good };
    for (bad, position) in [(beyond, 5), (other, 2)] {
        let error = block_on(store.commit(&tenant("a"), bad)).unwrap_err();
        assert!(matches!(error, StoreError::NoSuchEntry(at) if at == position), "{error}");
    }
    assert_eq!(verified(&store).unwrap().entries, 4);
    assert_eq!(block_on(store.fact(&tenant("a"), CHECKPOINT)).unwrap(), None);
}

#[test]
fn tampering_shows() {
    let store = store(6);
    let log = block_on(store.log(&tenant("a"), 0, 100)).unwrap();
    let check = |log: &[Logged], whose: &str| {
        let mut verifier = Verifier::new(&tenant(whose), None);
        log.iter().try_for_each(|logged| verifier.check(logged)).map(|()| verifier.head())
    };
    assert_eq!(check(&log, "a").unwrap(), (6, log[5].hash));
    assert!(matches!(check(&log, "b"), Err(ChainError::Broken(1))));
    let mut changed = log.clone();
    changed[2].event.actor = "tk_2".to_owned();
    assert!(matches!(check(&changed, "a"), Err(ChainError::Broken(3))));
    // Whoever mends the hash of what he has changed breaks the next entry.
    changed[2].hash = log[1].hash.next(3, &changed[2].event);
    assert!(matches!(check(&changed, "a"), Err(ChainError::Broken(4))));
    let mut removed = log.clone();
    removed.remove(2);
    assert!(matches!(check(&removed, "a"), Err(ChainError::Gap { expected: 3, found: 4 })));
    let mut beheaded = log;
    beheaded.remove(0);
    assert!(matches!(check(&beheaded, "a"), Err(ChainError::Gap { expected: 1, found: 2 })));
}

#[test]
fn a_checkpoint_that_nobody_trusts_ends_the_check() {
    for (field, value) in [("signature", "bad"), ("tenant", "b"), ("hash", "no hash")] {
        let store = store(6);
        let mut change = cut(&store, 3);
        change.facts[0].value.as_mut().unwrap()[field] = value.into();
        block_on(store.commit(&tenant("a"), change)).unwrap();
        let error = verified(&store).unwrap_err();
        let wanted = if field == "hash" { "cannot be read" } else { "not to be trusted" };
        assert!(error.to_string().contains(wanted), "{error}");
    }
}

#[test]
fn what_is_signed_is_all_but_the_signature() {
    let store = store(4);
    let checkpoint: Checkpoint = serde_json::from_value(cut(&store, 2).facts.remove(0).value.unwrap()).unwrap();
    let message = String::from_utf8(checkpoint.message()).unwrap();
    assert!(message.starts_with("scimwright checkpoint 1\n{") && !message.contains("good"), "{message}");
    let other = Checkpoint { signature: "other".to_owned(), ..checkpoint.clone() };
    assert_eq!(other.message(), checkpoint.message());
    for other in [
        Checkpoint { position: 1, ..checkpoint.clone() },
        Checkpoint { tenant: "b".to_owned(), ..checkpoint.clone() },
        Checkpoint { time: String::new(), ..checkpoint.clone() },
        Checkpoint { cuts_before: 1, ..checkpoint.clone() },
        Checkpoint { previous: Some(checkpoint.hash), ..checkpoint.clone() },
        Checkpoint { key: String::new(), ..checkpoint.clone() },
        Checkpoint { hash: ChainHash::first(&tenant("b")), ..checkpoint.clone() },
    ] {
        assert_ne!(other.message(), checkpoint.message());
    }
}
