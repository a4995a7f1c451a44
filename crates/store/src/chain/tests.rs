use pollster::block_on;

use super::*;
use crate::{Change, Fact, InMemory, When};

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
        Checkpoint { key: String::new(), ..checkpoint.clone() },
        Checkpoint { hash: ChainHash::first(&tenant("b")), ..checkpoint.clone() },
    ] {
        assert_ne!(other.message(), checkpoint.message());
    }
}
