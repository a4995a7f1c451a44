use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use scimwright_core::Catalog;
use scimwright_filter::{Binding, Filter};
use scimwright_store::{Key, Query, TenantId};

use super::*;
use crate::{Dialect, find, get};

/// A source as that of a database beyond a network: it waits, and its answers are what a test gives it.
#[derive(Default)]
struct Script {
    answers: VecDeque<Vec<Row>>,
    asked: Vec<Statement>,
    /// How many rows of each walk were asked for at a time.
    sizes: Vec<usize>,
}

/// Is ready when it is polled for the second time.
async fn wait() {
    let mut waited = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Source for Script {
    type Error = Damaged;

    async fn rows(&mut self, statement: &Statement) -> Result<Vec<Row>, Damaged> {
        wait().await;
        self.asked.push(statement.clone());
        Ok(self.answers.pop_front().unwrap_or_default())
    }

    async fn walk(&mut self, statement: &Statement, walk: &mut Walk<'_>) -> Result<(), Damaged> {
        let mut rows = self.rows(statement).await?.into_iter();
        loop {
            let size = walk.size();
            self.sizes.push(size);
            let batch: Vec<_> = rows.by_ref().take(size).collect();
            let last = batch.len() < size;
            wait().await;
            if walk.take(self, batch).await?.is_break() || last {
                return Ok(());
            }
        }
    }
}

/// Polls to the end. That it takes only futures that may go to another thread is part of what is tested.
fn run<T>(future: impl Future<Output = T> + Send) -> T {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
    }
}

fn tenant() -> TenantId {
    "a".parse().unwrap()
}

fn query(type_name: &str, filter: &str, count: usize) -> Query {
    let resource_type = Arc::clone(Catalog::standard().resource_type(type_name).unwrap());
    let filter: Filter = filter.parse().unwrap();
    let filter = filter.bind(&Binding::new(&resource_type)).unwrap();
    let mut query = Query::new(resource_type, count);
    query.parts[0].filter = Some(filter);
    query
}

fn head(id: &str, members: i64, document: &str) -> Row {
    let text = |text: &str| Cell::Text(text.to_owned());
    Row(vec![
        text(id),
        Cell::Integer(1),
        Cell::Integer(0),
        Cell::Integer(0),
        Cell::Integer(members),
        text("{}"),
        text(document),
    ])
}

#[test]
fn a_walk_grows_to_some_hundreds_and_stops_when_it_has_enough() {
    let users =
        |count: usize| (0..count).map(|at| head(&format!("{at:06}"), 0, r#"{"title": "x"}"#)).collect::<Vec<_>>();
    let mut query = query("User", "title eq \"y\"", 9);
    let mut script = Script { answers: [users(1000), vec![]].into(), ..Script::default() };
    let page = run(find(&mut script, Dialect::Postgres, &tenant(), &query)).unwrap();
    assert_eq!((page.total, page.more), (Some(0), false));
    assert_eq!(script.sizes, [10, 20, 40, 80, 160, 256, 256, 256]);

    query = self::query("User", "title eq \"x\"", 9);
    query.total = false;
    let mut script = Script { answers: [users(1000), vec![]].into(), ..Script::default() };
    let page = run(find(&mut script, Dialect::Postgres, &tenant(), &query)).unwrap();
    assert_eq!((page.records.len(), page.more), (9, true));
    assert_eq!(script.sizes, [10, 20]);
}

#[test]
fn members_are_read_for_as_many_groups_as_have_ten_thousand_together() {
    let sizes = [4_000, 4_000, 4_000, 20_000, 0, 1];
    let groups = (0..).zip(sizes).map(|(at, size)| head(&format!("g{at}"), size, "{}")).collect();
    let text = |text: &str| Cell::Text(text.to_owned());
    let member = |group: &str| Row(vec![text(group), text("m"), text("User"), Cell::Null]);
    let answers = vec![groups, vec![member("g0")], vec![], vec![member("g3")]];
    let mut script = Script { answers: answers.into(), ..Script::default() };
    let mut query = query("Group", "members[value eq \"m\" and type eq \"User\"] or displayName pr", 9);
    query.total = false;
    let page = run(find(&mut script, Dialect::Postgres, &tenant(), &query)).unwrap();
    assert_eq!(page.records.iter().map(|record| record.key.id.as_str()).collect::<Vec<_>>(), ["g0", "g3"]);
    let asked: Vec<_> = script.asked.iter().filter(|asked| asked.text.contains("m.member_type")).collect();
    let groups: Vec<_> = asked.iter().map(|asked| &asked.values[1]).collect();
    let texts = |ids: &[&str]| crate::Value::Texts(ids.iter().map(|id| (*id).to_owned()).collect());
    assert_eq!(groups, [&texts(&["g0", "g1"]), &"g2".into(), &"g3".into(), &"g5".into()]);
}

#[test]
fn rows_that_nobody_has_written_are_an_error() {
    for (row, whole) in [
        (head("a", 0, "{}"), true),
        (head("a", 0, "{"), false),
        (head("a", -1, "{}"), false),
        (Row(vec![]), false),
        (Row(vec![Cell::Integer(7)]), false),
    ] {
        let mut script = Script { answers: [vec![row.clone()]].into(), ..Script::default() };
        let key = Key::new("User", "a");
        let found = run(get(&mut script, Dialect::Sqlite, &tenant(), &key, &Members::All));
        assert_eq!(found.is_ok(), whole, "{row:?}");
    }
}
