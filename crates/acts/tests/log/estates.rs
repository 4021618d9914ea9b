//! The estate in memory, made of an earlier one and of later writes, equals the estate in the database: after random acts,
//! refused ones, those of another server, and writes of an earlier binary that notes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use acts::approval::{set_absence, set_delegation};
use acts::cab::{meetings, on_call, training};
use acts::change::set_template;
use acts::core::noun;
use acts::core::write::Written;
use acts::directory::import_directory::{Line, Options, import_directory};
use acts::directory::{provision, set_person, set_service};
use acts::executor::Executor;
use acts::identity::set_token;
use acts::incident::set_incident;
use acts::schedule::{loosen_freeze, set_calendar, set_freeze};
use acts::{Context, Error, Result};
use model::cab::duty_rota::DutyRota;
use model::change::change_file::Actor;
use model::change::custom_field::CustomField;
use model::core::enums::Noun;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Directory, Person};
use model::emergency::outside_look::OutsideLook;
use model::identity::provider::{ProvisionedGroup, ProvisionedPerson};
use proof::crypto::{Entropy as _, SeededEntropy};
use serde_json::{Value, json};
use store::{Lane, Mode, counter, record};

use crate::world::{TENANT, World, body};

/// The default number of steps of a walk.
const STEPS: usize = 500;

/// Random numbers that a seed repeats.
struct Dice(SeededEntropy);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    fn roll(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    fn is_one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn name(&mut self, letter: char, count: usize) -> String {
        format!("{letter}{}", self.below(count))
    }

    fn pick<T: Clone>(&mut self, all: impl Iterator<Item = T>) -> Result<T> {
        let all: Vec<T> = all.collect();
        if all.is_empty() {
            return Err(Refusal::not_found("anything to pick").into());
        }
        let at = self.below(all.len());
        Ok(all[at].clone())
    }
}

/// Which parts of two directories differ.
fn differing(left: &Directory, right: &Directory) -> Vec<&'static str> {
    macro_rules! parts {
        ($($part:ident),+) => {
            [$((stringify!($part), left.$part == right.$part)),+]
        };
    }
    let parts = parts![
        tenant,
        generation,
        people,
        logins,
        groups,
        services,
        config_items,
        environments,
        dependencies,
        ownerships,
        absences,
        delegations,
        custom_fields,
        calendars,
        freezes,
        windows,
        incidents,
        templates,
        meetings,
        on_call,
        duty_rotas,
        trainings,
        outside_looks,
        conflicts,
        planning_terms,
        outside_calendars,
        vendors,
        vendor_notices,
        joint_maintenances,
        traffic
    ];
    let parts = parts.into_iter().filter(|(_, is_same)| !is_same);
    parts.map(|(name, _)| name).collect()
}

/// Which parts of a directory hold nothing.
fn empty(found: &Directory) -> BTreeSet<&'static str> {
    macro_rules! parts {
        ($($part:ident),+) => {
            [$((stringify!($part), found.$part.is_empty())),+]
        };
    }
    let parts = parts![
        people,
        logins,
        groups,
        services,
        config_items,
        environments,
        dependencies,
        ownerships,
        absences,
        delegations,
        custom_fields,
        calendars,
        freezes,
        windows,
        incidents,
        templates,
        meetings,
        on_call,
        duty_rotas,
        trainings,
        outside_looks
    ];
    let parts = parts.into_iter().filter(|(_, is_empty)| *is_empty);
    parts.map(|(name, _)| name).collect()
}

/// Compares memory with the database, as this transaction sees it.
fn compare(cx: &mut Context<'_, '_>) -> Result<()> {
    let known = cx.directory()?;
    let read = acts::core::load_directory::load(cx.tx, known.generation)?;
    if *known == read {
        return Ok(());
    }
    let generation = counter::get(cx.tx, counter::DIRECTORY)?;
    let text = format!("at {generation} these differ: {:?}", differing(&known, &read));
    Err(Error::Fault(text))
}

fn told(dice: &mut Dice) -> ProvisionedPerson {
    let login = dice.name('p', 12);
    ProvisionedPerson {
        name: format!("Person {}", dice.below(100)),
        email: dice.is_one_in(2).then(|| format!("{login}@halden.example")),
        active: [Some(true), Some(true), Some(false), None][dice.below(4)],
        compromised: dice.is_one_in(8),
        external_id: Some(format!("x-{login}")),
        attributes: vec![("department".to_owned(), dice.name('D', 3))],
        login,
        zone: None,
    }
}

/// Acts of a provisioning directory: new logins for those who are there, too.
fn provisioned(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let some = dice.pick(directory.people.keys())?.0.clone();
    let mut members = BTreeSet::new();
    for _ in 0..dice.below(4) {
        members.insert(dice.pick(directory.people.keys())?.0.clone());
    }
    let group = ProvisionedGroup {
        name: dice.name('g', 6),
        external_id: None,
        members,
    };
    match dice.below(6) {
        0 | 1 => provision::create_person(cx, &told(dice)).map(drop),
        2 => provision::replace_person(cx, &some, &told(dice)).map(drop),
        3 if directory.people.len() > 8 => provision::remove_person(cx, &some),
        4 => {
            let known = dice.pick(directory.groups.values())?.id.0.clone();
            if dice.is_one_in(4) {
                return provision::remove_group(cx, &known);
            }
            provision::replace_group(cx, &known, &group).map(drop)
        }
        _ => provision::create_group(cx, &group).map(drop),
    }
}

/// Two people who take each other's login in one act.
fn swapped(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let free = |person: &&Person| person.active && !person.removed && person.email.is_none();
    let one = dice.pick(directory.people.values().filter(free))?.clone();
    let other = dice.pick(directory.people.values().filter(free))?.clone();
    let named = |login: &str| ProvisionedPerson {
        login: login.to_owned(),
        name: login.to_owned(),
        active: Some(true),
        ..ProvisionedPerson::default()
    };
    provision::replace_person(cx, one.id.as_str(), &named("between"))?;
    if dice.is_one_in(2) {
        // Somebody looks while nobody has the one login.
        compare(cx)?;
    }
    provision::replace_person(cx, other.id.as_str(), &named(&one.login))?;
    provision::replace_person(cx, one.id.as_str(), &named(&other.login)).map(drop)
}

fn person(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let role = dice.pick(["requester", "owner", "security", "change_manager", "vendor"].into_iter())?;
    if dice.is_one_in(2) {
        let wanted = json!({"login": dice.name('p', 12), "roles": [role], "functions": [dice.name('f', 3)]});
        return set_person::create_person(cx, &body(wanted)).map(drop);
    }
    let login = dice.pick(directory.people.values())?.login.clone();
    let wanted = match dice.below(3) {
        0 => json!({"active": dice.is_one_in(2)}),
        1 => json!({"roles": [role]}),
        _ => json!({"zone": "Europe/Oslo", "accounts": [format!("github:{}", dice.name('a', 9))]}),
    };
    set_person::edit_person(cx, &login, &body(wanted)).map(drop)
}

fn estate(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let (service, other) = (dice.name('s', 5), dice.name('s', 5));
    match dice.below(7) {
        0 | 1 => set_service::set_service(cx, &body(json!({"key": service, "name": dice.name('n', 99)}))).map(drop),
        2 => set_service::set_environment(cx, &body(json!({"key": dice.name('e', 4)}))).map(drop),
        3 => {
            let wanted = json!({"key": dice.name('i', 5), "service": service, "kind": dice.name('k', 2)});
            set_service::set_config_item(cx, &body(wanted)).map(drop)
        }
        4 => {
            let row = dice.pick(directory.dependencies.iter())?;
            set_service::end_dependency(cx, row.id.as_str()).map(drop)
        }
        _ => {
            let kind = dice.pick(["depends_on", "part_of", "runs_on"].into_iter())?;
            let wanted = json!({"from": service, "to": other, "kind": kind});
            set_service::set_dependency(cx, &body(wanted)).map(drop)
        }
    }
}

fn owned(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    if dice.is_one_in(4) {
        let row = dice.pick(directory.ownerships.iter())?;
        return set_service::end_ownership(cx, row.id.as_str()).map(drop);
    }
    let role = dice.pick(["owner", "technical_lead", "security", "data"].into_iter())?;
    let person = dice.pick(directory.people.values())?.login.clone();
    let wanted = json!({"service": dice.name('s', 5), "role": role, "person": person});
    set_service::set_ownership(cx, &body(wanted)).map(drop)
}

/// Records with a beginning and an end.
fn dated(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let person = dice.pick(directory.people.values())?.login.clone();
    let other = dice.pick(directory.people.values())?.login.clone();
    let (from, until) = ("2026-11-20T09:00:00Z", "2026-12-20T09:00:00Z");
    match dice.below(8) {
        0 => {
            let wanted = json!({"person": person, "starts_at": from, "ends_at": until});
            set_absence::set_absence(cx, &body(wanted)).map(drop)
        }
        1 => set_absence::end_absence(cx, dice.pick(directory.absences.iter())?.id.as_str()).map(drop),
        2 => {
            let wanted = json!({"delegator": person, "delegate": other, "starts_at": from, "ends_at": until});
            set_delegation::set_delegation(cx, &body(wanted)).map(drop)
        }
        3 => set_delegation::end_delegation(cx, dice.pick(directory.delegations.iter())?.id.as_str()).map(drop),
        4 => {
            let wanted = json!({"person": person, "training": "sox", "starts_at": from, "ends_at": until});
            training::set_training(cx, &body(wanted)).map(drop)
        }
        5 => training::end_training(cx, dice.pick(directory.trainings.iter())?.id.as_str()).map(drop),
        6 => {
            let board = dice.pick(directory.groups.values().filter(|it| !it.members.is_empty()))?;
            let member = directory.login(&dice.pick(board.members.iter().cloned())?);
            if dice.is_one_in(2) {
                let wanted = json!({"group": board.key, "people": [member], "starts_at": from});
                return noun::add::<DutyRota>(cx, &body(wanted)).map(drop);
            }
            let wanted = json!({"group": board.key, "person": member, "starts_at": from, "ends_at": until});
            on_call::set_on_call(cx, &body(wanted)).map(drop)
        }
        _ => on_call::end_on_call(cx, dice.pick(directory.on_call.iter())?.id.as_str()).map(drop),
    }
}

fn calendar(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let (from, until) = ("2026-11-20T09:00:00Z", "2026-12-20T09:00:00Z");
    match dice.below(6) {
        0 => {
            let wanted = json!({"title": "Year end", "starts_at": from, "ends_at": until, "halt": dice.is_one_in(2)});
            set_freeze::set_freeze(cx, &body(wanted)).map(drop)
        }
        1 => {
            // Its setter takes one back within an hour; otherwise somebody proposes its end, and somebody confirms it later.
            let freeze = dice.pick(directory.freezes.iter())?;
            if freeze.loosening.is_some() {
                return loosen_freeze::confirm_loosening(cx, freeze.id.as_str()).map(drop);
            }
            if dice.is_one_in(2) {
                cx.actor.person = dice.pick(directory.people.keys())?.clone();
            }
            let reason = body(json!({"reason": "It is over"}));
            loosen_freeze::end_freeze(cx, freeze.id.as_str(), &reason).map(drop)
        }
        2 => {
            let wanted = json!({"title": "Night", "starts_at": from, "ends_at": until});
            set_service::set_window(cx, &body(wanted)).map(drop)
        }
        3 => set_service::end_window(cx, dice.pick(directory.windows.iter())?.id.as_str()).map(drop),
        4 => {
            let hours = json!([{"day": "monday", "from": "08:00", "to": "16:00"}]);
            let wanted = json!({"key": dice.name('c', 3), "zone": "UTC", "hours": hours});
            set_calendar::set_calendar(cx, &body(wanted)).map(drop)
        }
        _ => {
            let wanted = json!({"title": "Slow", "severity": 2, "services": [dice.name('s', 5)]});
            set_incident::open_incident(cx, &body(wanted)).map(drop)
        }
    }
}

fn rest(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let directory = cx.directory()?;
    let group = dice.pick(directory.groups.keys())?.0.clone();
    match dice.below(7) {
        0 => {
            let wanted = json!({"key": dice.name('a', 4), "name": dice.name('n', 9), "holds": "text"});
            noun::add::<CustomField>(cx, &body(wanted)).map(drop)
        }
        1 => {
            let key = dice.pick(directory.custom_fields.keys())?;
            noun::end::<CustomField>(cx, key).map(drop)
        }
        2 => meetings::open_meeting(cx, &body(json!({"group": group, "title": "Board"}))).map(drop),
        3 => meetings::end_meeting(cx, dice.pick(directory.meetings.iter())?.id.as_str()).map(drop),
        4 => {
            let looks = dice.pick(directory.groups.values().filter(|it| !it.members.is_empty()))?;
            cx.actor.person = dice.pick(looks.members.iter())?.clone();
            let wanted = json!({"group": looks.key, "text": "Nothing odd."});
            noun::add::<OutsideLook>(cx, &body(wanted)).map(drop)
        }
        5 => {
            let wanted = json!({
                "key": dice.name('t', 3), "title": "Patch", "locked": {"description": "d"}, "free": ["title"],
                "review_by": "2027-05-01T00:00:00Z", "watch_minutes": 30,
            });
            set_template::propose_template(cx, &body(wanted)).map(drop)
        }
        _ => {
            // The counter moves, and nothing that a directory holds was written.
            let person = dice.pick(directory.people.values())?.login.clone();
            let wanted = json!({"name": "ci", "person": person, "scopes": ["read"]});
            set_token::create_token(cx, &body(wanted)).map(drop)
        }
    }
}

fn line(number: usize, noun: Noun, fields: Value) -> Line {
    Line {
        number,
        is_row: false,
        noun,
        fields: body(fields),
    }
}

fn imported(cx: &mut Context<'_, '_>, dice: &mut Dice) -> Result<()> {
    let login = dice.name('p', 12);
    let lines = [
        line(
            1,
            Noun::People,
            json!({"login": login, "name": dice.name('n', 99), "roles": ["security"]}),
        ),
        line(2, Noun::Groups, json!({"key": dice.name('g', 6), "members": [login]})),
        line(
            3,
            Noun::Services,
            json!({"key": dice.name('s', 5), "criticality": "high"}),
        ),
    ];
    let options = Options {
        dry_run: dice.is_one_in(4),
        ..Options::default()
    };
    import_directory(cx, &lines, options).map(drop)
}

/// Some acts in one transaction, which may come to nothing at its end.
fn step(cx: &mut Context<'_, '_>, seed: u64) -> Result<()> {
    let mut dice = Dice::new(seed);
    for _ in 0..=dice.below(2) {
        match dice.below(12) {
            0..3 => provisioned(cx, &mut dice)?,
            3 => swapped(cx, &mut dice)?,
            4 => person(cx, &mut dice)?,
            5 => estate(cx, &mut dice)?,
            6 => owned(cx, &mut dice)?,
            7 | 8 => dated(cx, &mut dice)?,
            9 => calendar(cx, &mut dice)?,
            10 => rest(cx, &mut dice)?,
            _ => imported(cx, &mut dice)?,
        }
        if dice.is_one_in(2) {
            compare(cx)?;
        }
    }
    compare(cx)?;
    if dice.is_one_in(6) {
        return Err(Refusal::not_found("a reason to keep this").into());
    }
    Ok(())
}

/// Writes a person without a notice that the estate was written.
fn quiet(cx: &mut Context<'_, '_>, seed: u64) -> Result<()> {
    let directory = cx.directory()?;
    let mut dice = Dice::new(seed);
    let person = dice.pick(directory.people.values())?.clone();
    let mut written = Written::default();
    let name = dice.name('q', 1_000);
    cx.put(&mut written, Person { name, ..person })?;
    cx.emit(Vec::new(), written)
}

/// Writes a person as a binary did that knew of no notes.
fn older(cx: &mut Context<'_, '_>, seed: u64) -> Result<()> {
    let mut dice = Dice::new(seed);
    let all = record::find::<Person>(cx.tx, &record::Filter::new().order_by("id"))?;
    let stored = dice.pick(all.iter())?;
    let version = stored.record.version;
    let next = Person {
        zone: dice.pick(["Europe/Oslo", "UTC", "Asia/Tokyo"].into_iter())?.to_owned(),
        version: version + 1,
        ..stored.record.clone()
    };
    record::update(cx.tx, &next, &stored.sealed.text()?, version)?;
    counter::next(cx.tx, counter::DIRECTORY)?;
    Ok(())
}

/// The result of some steps.
#[derive(Debug, Default)]
struct Tally {
    done: usize,
    refused: usize,
}

impl Tally {
    fn count(&mut self, done: Result<()>) {
        match done {
            Ok(()) => self.done += 1,
            Err(Error::Refused(_)) => self.refused += 1,
            Err(Error::Store(error)) if error.is_passing() => self.refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
}

/// A server's estate, which must equal the database.
fn look(executor: &Executor) -> Arc<Directory> {
    let look = |cx: &mut Context<'_, '_>| compare(cx).and_then(|()| cx.directory());
    let looked = executor.wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, look);
    looked.unwrap()
}

fn take(executor: &Executor, dice: &mut Dice, tally: &mut Tally) {
    let (kind, seed) = (dice.below(16), dice.roll());
    let act = move |cx: &mut Context<'_, '_>| match kind {
        0 => quiet(cx, seed),
        1 => older(cx, seed),
        _ => step(cx, seed),
    };
    tally.count(executor.wait(Lane::Acts, TENANT, Actor::system(), Mode::Write, act));
}

fn steps() -> usize {
    let said = std::env::var("ASSENT_TEST_ESTATES").ok();
    said.map_or(STEPS, |it| it.parse().unwrap())
}

/// Two servers take turns at random; each looks now and then, so that it has one thing or many to catch up with.
fn walk(world: &World, seed: u64) {
    let desks = [world.executor.clone(), world.other_desk(0)];
    let (mut dice, mut tally) = (Dice::new(seed), Tally::default());
    let mut never = empty(&Directory::default());
    for _ in 0..steps() {
        take(&desks[dice.below(2)], &mut dice, &mut tally);
        if !dice.is_one_in(3) {
            let found = look(&desks[dice.below(2)]);
            never = never.intersection(&empty(&found)).copied().collect();
        }
    }
    desks.iter().for_each(|executor| drop(look(executor)));
    assert!(never.is_empty(), "nothing was shown of {never:?}: {tally:?}");
    assert!(tally.done > steps() / 4, "{tally:?}");
    assert!(tally.refused > steps() / 20, "{tally:?}");
}

/// Two servers write at once, and each of them is looked at meanwhile.
fn race(world: &World, seed: u64) {
    let desks = [world.executor.clone(), world.other_desk(0)];
    let done: usize = std::thread::scope(|scope| {
        let writers = desks.iter().zip(seed..).map(|(executor, seed)| {
            scope.spawn(move || {
                let (mut dice, mut tally) = (Dice::new(seed), Tally::default());
                for _ in 0..steps() / 5 {
                    take(executor, &mut dice, &mut tally);
                }
                tally.done
            })
        });
        let writers: Vec<_> = writers.collect();
        for _ in 0..steps() / 5 {
            desks.iter().for_each(|executor| drop(look(executor)));
        }
        writers.into_iter().map(|it| it.join().unwrap()).sum()
    });
    desks.iter().for_each(|executor| drop(look(executor)));
    assert!(done > steps() / 20, "{done} were done");
}

#[test]
fn an_estate_that_is_kept_up_is_the_estate_that_is_read() {
    walk(&World::new(), 1);
    race(&World::new(), 2);
}

#[test]
fn on_postgresql_two_servers_keep_up_with_each_other() {
    let Some((world, _database)) = World::on_postgres() else {
        return;
    };
    walk(&world, 3);
    race(&world, 4);
    world.executor.tools().store.close();
}

/// More than is noted one by one, and more than is kept of the notes.
#[test]
fn who_is_too_far_behind_reads_the_whole() {
    let world = World::new();
    let other = world.other_desk(0);
    look(&other);
    world.system(|cx| {
        let many = (0..1_200).map(|number| line(number, Noun::People, json!({"login": format!("w{number}")})));
        let lines: Vec<Line> = many.collect();
        import_directory(cx, &lines, Options::default()).map(drop)
    });
    look(&other);
    world.system(|cx| {
        for _ in 0..4_200 {
            cx.touch_directory()?;
        }
        set_person::edit_person(cx, "w7", &body(json!({"name": "Seven"}))).map(drop)
    });
    look(&other);
    let name = |executor: &Executor| {
        let find = |cx: &mut Context<'_, '_>| Ok(cx.directory()?.by_login("w7").map(|it| it.name.clone()));
        executor
            .wait(Lane::Pages, TENANT, Actor::system(), Mode::Read, find)
            .unwrap()
    };
    assert_eq!(name(&other).as_deref(), Some("Seven"));
}

#[test]
fn an_arrow_that_was_taken_away_comes_back() {
    let world = World::new();
    let ids = world.system(|cx| {
        let wanted = body(json!({"from": "pay", "to": "ledger"}));
        set_service::set_service(cx, &body(json!({"key": "ledger"})))?;
        let first = set_service::set_dependency(cx, &wanted)?;
        set_service::end_dependency(cx, first.id.as_str())?;
        let second = set_service::set_dependency(cx, &wanted)?;
        set_service::end_dependency(cx, first.id.as_str())?;
        let lines = [line(1, Noun::Dependencies, json!({"from": "pay", "to": "ledger"}))];
        import_directory(cx, &lines, Options::default())?;
        let third = cx.directory()?.dependencies[0].clone();
        Ok([first.id, second.id, third.id])
    });
    assert_eq!((&ids[0], &ids[0]), (&ids[1], &ids[2]));
    look(&world.executor);
}

#[test]
fn arrows_between_equal_keys_of_other_kinds_stand_beside_each_other() {
    let world = World::new();
    let [service, item, again] = world.system(|cx| {
        set_service::set_service(cx, &body(json!({"key": "ledger"})))?;
        set_service::set_config_item(cx, &body(json!({"key": "ledger", "service": "pay"})))?;
        let wanted = body(json!({"from": "pay", "to": "ledger"}));
        let stores = body(json!({"from": "pay", "to": "ledger", "to_kind": "config_item", "kind": "stores_in"}));
        let service = set_service::set_dependency(cx, &wanted)?;
        let item = set_service::set_dependency(cx, &stores)?;
        set_service::end_dependency(cx, service.id.as_str())?;
        set_service::end_dependency(cx, item.id.as_str())?;
        let again = set_service::set_dependency(cx, &wanted)?;
        Ok([service.id, item.id, again.id])
    });
    assert_ne!(service, item);
    assert_eq!(
        service, again,
        "the arrow to the service comes back, not the one to the item"
    );
    look(&world.executor);
    world.sequence();
    world.assert_replays();
}
