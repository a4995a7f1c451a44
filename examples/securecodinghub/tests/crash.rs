//! A server that is killed under load, a hundred times: what it has acknowledged is there, and nothing is there by half.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use support::{Client, Hub, Server, ids, join, replace, team, text, user};
use ureq::http::Method;

const ROUNDS: usize = 100;
const WRITERS: usize = 4;
/// Beyond this a writer deletes, so that the rounds stay alike.
const PEOPLE_OF_A_WRITER: usize = 8;

/// A number below that one, another one each time.
fn random(below: u64) -> u64 {
    RandomState::new().build_hasher().finish() % below
}

/// Something that was done to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Deed {
    Create,
    Title(String),
    Join(usize),
    Delete,
}

impl Deed {
    /// As far as the log tells it: it names attributes and not their values.
    fn in_the_log(&self, teams: &[String]) -> String {
        match self {
            Self::Create => "create".to_owned(),
            Self::Title(_) => "title".to_owned(),
            Self::Join(team) => format!("join {}", teams[*team]),
            Self::Delete => "delete".to_owned(),
        }
    }
}

/// A person, with all that is known to have been done.
#[derive(Debug)]
struct Person {
    /// None while nobody knows whether the person was created.
    id: Option<String>,
    user_name: String,
    deeds: Vec<Deed>,
}

impl Person {
    fn is_gone(&self) -> bool {
        self.deeds.last() == Some(&Deed::Delete)
    }

    fn title(&self) -> Option<&str> {
        self.deeds.iter().rev().find_map(|deed| if let Deed::Title(title) = deed { Some(title.as_str()) } else { None })
    }

    fn team(&self) -> Option<usize> {
        self.deeds.iter().rev().find_map(|deed| if let Deed::Join(team) = deed { Some(*team) } else { None })
    }
}

/// The server went away.
struct Killed;

/// A client that does one thing after the other, to people whom nobody else touches.
struct Writer {
    number: usize,
    client: Client,
    teams: Vec<String>,
    people: Vec<Person>,
    /// What was asked and never answered: of whom, and what.
    unsure: Option<(usize, Deed)>,
    asked: usize,
    acknowledged: usize,
}

impl Writer {
    /// Writes until the server goes away.
    fn work(&mut self, round: usize) {
        let mut contested = 0;
        while let Ok(()) = self.turn(round, &mut contested) {}
    }

    fn turn(&mut self, round: usize, contested: &mut usize) -> Result<(), Killed> {
        self.asked += 1;
        let (number, asked) = (self.number, self.asked);
        self.create(&format!("writer{number}.{asked}@corp.example"))?;
        let new = self.people.len() - 1;
        self.act(new, Deed::Title(format!("title {asked}")))?;
        // All writers fill the same two teams, and each person changes from one to the other.
        self.act(new, Deed::Join(asked % 2))?;
        self.act(new, Deed::Join((asked + 1) % 2))?;
        // The same name from every writer.
        *contested += 1;
        self.create(&format!("Contested.{round}.{contested}@corp.example"))?;
        // People of earlier rounds as well, whom the server has read back from the disk.
        let living = self.living();
        let old = living[random(living.len() as u64) as usize];
        self.act(old, Deed::Title(format!("title {asked} again")))?;
        for oldest in living.iter().take(living.len().saturating_sub(PEOPLE_OF_A_WRITER)) {
            self.act(*oldest, Deed::Delete)?;
        }
        Ok(())
    }

    /// Where those stand who were not deleted, the oldest first. The others stay in the list until they are checked.
    fn living(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|index| !self.people[*index].is_gone()).collect()
    }

    fn create(&mut self, user_name: &str) -> Result<(), Killed> {
        let person = Person { id: None, user_name: user_name.to_owned(), deeds: Vec::new() };
        self.people.push(person);
        self.act(self.people.len() - 1, Deed::Create)
    }

    /// Does it, and remembers what came of it.
    fn act(&mut self, index: usize, deed: Deed) -> Result<(), Killed> {
        let person = &mut self.people[index];
        let path = person.id.as_ref().map(|id| format!("/Users/{id}")).unwrap_or_default();
        let sent = match &deed {
            Deed::Create => self.client.try_send(Method::POST, "/Users", Some(&user(&person.user_name))),
            Deed::Title(title) => self.client.try_send(Method::PATCH, &path, Some(&replace("title", title.as_str()))),
            Deed::Join(team) => {
                let path = format!("/Groups/{}", self.teams[*team]);
                self.client.try_send(Method::PATCH, &path, Some(&join(&[person.id.as_ref().unwrap()])))
            }
            Deed::Delete => self.client.try_send(Method::DELETE, &path, None),
        };
        let Ok(answer) = sent else {
            self.unsure = Some((index, deed));
            return Err(Killed);
        };
        self.acknowledged += 1;
        match (&deed, answer.status) {
            (Deed::Create, 201) => person.id = Some(text(&answer.json(), "id")),
            // Another writer was faster.
            (Deed::Create, 409) if person.user_name.starts_with("Contested") => {
                self.people.pop();
                return Ok(());
            }
            (Deed::Title(_) | Deed::Join(_), 200) | (Deed::Delete, 204) => {}
            (_, status) => panic!("{deed:?}: {status}: {}", answer.text),
        }
        self.people[index].deeds.push(deed);
        Ok(())
    }
}

/// What a server shows after it has come back.
struct Shown {
    users: HashMap<String, Value>,
    members: Vec<Vec<String>>,
}

impl Shown {
    fn by(client: &Client, teams: &[String]) -> Self {
        let list = client.read("/Users?count=1000");
        let users: Vec<Value> = list["Resources"].as_array().unwrap().clone();
        assert_eq!(list["totalResults"], users.len());
        // A page that is not full tells the total by itself; this one asks the counter.
        assert_eq!(client.count("/Users"), users.len() as u64);
        let names: HashSet<String> = users.iter().map(|user| text(user, "userName").to_lowercase()).collect();
        assert_eq!(names.len(), users.len(), "a user name stands twice");
        let users = users.into_iter().map(|user| (text(&user, "id"), user)).collect();
        let members = teams.iter().map(|team| ids(&client.read(&format!("/Groups/{team}"))["members"])).collect();
        Self { users, members }
    }
}

/// The organisation with its writers and what its log has told so far.
struct World {
    hub: Hub,
    token: String,
    teams: Vec<String>,
    writers: Vec<Writer>,
    position: u64,
    /// What the log says was done to each who lives.
    told: HashMap<String, Vec<String>>,
}

impl World {
    fn new() -> Self {
        let hub = Hub::new();
        let server = hub.serve("");
        let acme = hub.organisation(&server, "acme", "");
        let teams: Vec<String> =
            ["Odd", "Even"].iter().map(|name| acme.client.make("/Groups", &team(name, &[]))).collect();
        let writer = |number| Writer {
            number,
            client: acme.client.clone(),
            teams: teams.clone(),
            people: Vec::new(),
            unsure: None,
            asked: 0,
            acknowledged: 0,
        };
        // The last one is there for what is done between the rounds.
        let writers = (0..=WRITERS).map(writer).collect();
        let position = hub.log("acme").len() as u64;
        Self { hub, token: acme.token, teams, writers, position, told: HashMap::new() }
    }

    /// Starts a server and checks all that the one before was asked for.
    fn start(&mut self) -> Server {
        let server = self.hub.serve("");
        for writer in &mut self.writers {
            writer.client = server.client(&self.token);
        }
        let shown = Shown::by(&self.writers[0].client, &self.teams);
        let touched = self.read_log();
        self.settle(&shown);
        self.check(&shown, &touched);
        for writer in &mut self.writers {
            writer.people.retain(|person| !person.is_gone());
        }
        self.told.retain(|id, _| shown.users.contains_key(id));
        server
    }

    /// Reads on in the log. Answers whom it speaks of.
    fn read_log(&mut self) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        for entry in self.hub.log_after("acme", self.position) {
            self.position += 1;
            assert_eq!(entry["position"], self.position, "the log has a gap");
            let status = entry["status"].as_u64().unwrap();
            if status >= 400 {
                assert!(entry["operation"] == "create" && matches!(status, 403 | 409), "{entry}");
                continue;
            }
            let target = text(&entry["target"], "id");
            let mut tell = |id: &str, what: String| {
                touched.insert(id.to_owned());
                self.told.entry(id.to_owned()).or_default().push(what);
            };
            match entry["operation"].as_str().unwrap() {
                "patch" if self.teams.contains(&target) => {
                    for id in entry["joined"].as_array().unwrap() {
                        tell(id.as_str().unwrap(), format!("join {target}"));
                    }
                }
                "patch" => {
                    assert_eq!(entry["changed"], serde_json::json!(["title"]), "{entry}");
                    tell(&target, "title".to_owned());
                }
                operation @ ("create" | "delete") => tell(&target, operation.to_owned()),
                other => panic!("{other}: {entry}"),
            }
        }
        touched
    }

    /// Finds out what became of the requests that were never answered. The log says whether each was done.
    fn settle(&mut self, shown: &Shown) {
        let mut known: HashSet<String> =
            self.writers.iter().flat_map(|writer| &writer.people).filter_map(|person| person.id.clone()).collect();
        for writer in &mut self.writers {
            let Some((index, deed)) = writer.unsure.take() else { continue };
            let person = &mut writer.people[index];
            if deed == Deed::Create {
                let mut same = shown.users.values().filter(|user| user["userName"] == person.user_name.as_str());
                let found = same.next().map(|user| text(user, "id")).filter(|id| known.insert(id.clone()));
                if found.is_none() {
                    assert_eq!(index, writer.people.len() - 1);
                    writer.people.pop();
                    continue;
                }
                person.id = found;
            }
            let told = self.told.get(person.id.as_ref().unwrap()).map_or(0, Vec::len);
            if told > person.deeds.len() {
                person.deeds.push(deed);
            }
        }
    }

    fn check(&self, shown: &Shown, touched: &BTreeSet<String>) {
        let people = || self.writers.iter().flat_map(|writer| &writer.people);
        let mut living = 0;
        let mut members = vec![Vec::new(); self.teams.len()];
        for person in people() {
            let id = person.id.as_ref().unwrap();
            // Everything that was acknowledged has its entry, in its order, and no entry speaks of anything else.
            let deeds: Vec<_> = person.deeds.iter().map(|deed| deed.in_the_log(&self.teams)).collect();
            assert_eq!(self.told.get(id), Some(&deeds), "{person:?}");
            let user = shown.users.get(id);
            assert_eq!(user.is_none(), person.is_gone(), "{person:?}: {user:?}");
            let Some(user) = user else { continue };
            living += 1;
            assert_eq!(user["userName"], person.user_name.as_str(), "{person:?}");
            assert_eq!(user["emails"][0]["value"], person.user_name.as_str(), "{user}");
            assert_eq!(user["active"], true, "{user}");
            assert_eq!(user["title"].as_str(), person.title(), "{person:?}");
            let team: Vec<String> = person.team().map(|team| self.teams[team].clone()).into_iter().collect();
            assert_eq!(ids(&user["groups"]), team, "{person:?}");
            if let Some(team) = person.team() {
                members[team].push(id.clone());
            }
        }
        assert_eq!(living, shown.users.len(), "somebody is there whom nobody has created");
        for (expected, shown) in members.iter_mut().zip(&shown.members) {
            expected.sort_unstable();
            assert_eq!(expected, shown);
        }
        let known: HashSet<&String> = people().filter_map(|person| person.id.as_ref()).collect();
        for id in touched {
            assert!(known.contains(id), "the log speaks of {id}, whom nobody has asked about");
        }
    }

    /// Seats are counted right, where with one left there is room for one; and names are known, where none is given twice.
    fn check_limits(&mut self, server: &Server, round: usize) {
        let client = server.client(&self.token);
        self.hub.prints(&format!("org set acme --seats {}", client.count("/Users") + 1));
        let checker = &mut self.writers[WRITERS];
        assert!(checker.create(&format!("seat.{round}@corp.example")).is_ok());
        client.post("/Users", &user(&format!("full.{round}@corp.example"))).is_error(403, "");
        assert!(checker.act(checker.people.len() - 1, Deed::Delete).is_ok());
        self.hub.prints("org set acme --seats none");
        for writer in &self.writers {
            if let Some(taken) = writer.living().last() {
                let taken = writer.people[*taken].user_name.to_uppercase();
                client.post("/Users", &user(&taken)).is_error(409, "uniqueness");
            }
        }
    }
}

#[test]
fn a_hundred_kills_under_load_lose_nothing_and_leave_nothing_by_half() {
    let mut world = World::new();
    for round in 0..ROUNDS {
        if round % 5 == 4 {
            // One that does not even come to greeting.
            let mut command = world.hub.program("serve --json --listen 127.0.0.1:0");
            let mut early = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(Duration::from_millis(random(25)));
            early.kill().unwrap();
            early.wait().unwrap();
        }
        let server = world.start();
        world.check_limits(&server, round);
        std::thread::scope(|scope| {
            for writer in &mut world.writers[..WRITERS] {
                scope.spawn(move || writer.work(round));
            }
            sleep(Duration::from_micros(random(200_000)));
            server.kill();
        });
    }
    let mut server = world.start();
    server.terminate();
    assert!(server.ends().success());

    let acknowledged: usize = world.writers.iter().map(|writer| writer.acknowledged).sum();
    assert!(acknowledged > ROUNDS * 3, "{acknowledged}: nobody wrote under load");
    assert_eq!(world.hub.log("acme").len() as u64, world.position);
    let file = rusqlite::Connection::open(world.hub.database()).unwrap();
    let check = |pragma: &str| file.query_row(pragma, [], |row| row.get::<_, String>(0));
    assert_eq!(check("PRAGMA integrity_check").unwrap(), "ok");
    assert_eq!(check("PRAGMA foreign_key_check"), Err(rusqlite::Error::QueryReturnedNoRows));
}

#[test]
fn a_first_start_that_is_killed_can_be_begun_again() {
    for round in 0..20 {
        let hub = Hub::new();
        let mut command = hub.program("serve --json --listen 127.0.0.1:0");
        let mut early = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_micros(random(40_000)));
        early.kill().unwrap();
        early.wait().unwrap();
        let server = hub.serve("");
        // Either it made the first organisation now, or that was done and the token with it is lost: then make another.
        let token = match server.greeting().get("token") {
            Some(token) => token.as_str().unwrap().to_owned(),
            None => text(&hub.json("token create --org default"), "token"),
        };
        assert_eq!(hub.json("org list").as_array().unwrap().len(), 1, "round {round}");
        server.client(&token).make("/Users", &user("ada@corp.example"));
        assert_eq!(hub.log("default").len(), 1);
    }
}
