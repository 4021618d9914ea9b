//! Alerts of a source that flaps: firing, over and firing again in quick turns. In any order, and each sent twice, they lead to
//! the same incidents: one for each outage, from its beginning to its end.

use jiff::{SignedDuration, Timestamp};
use model::integration::signal::{Alert, Signal};

use crate::{Dice, World, began, orders};

/// How many orders are tried without `ASSENT_TEST_ORDERS`.
const USUAL: u64 = 24;
/// The most outages of one key.
const MOST: u64 = 5;

/// An outage: when it begins and ends, in minutes; the last one may go on.
type Outage = (i64, Option<i64>);

fn at(minute: i64) -> Timestamp {
    began() - SignedDuration::from_hours(24) + SignedDuration::from_mins(minute)
}

fn alert(key: &str, start: i64, end: Option<i64>) -> Signal {
    Signal::Alert(Alert {
        source_key: key.to_owned(),
        is_over: end.is_some(),
        reopens: false,
        tells_state: false,
        title: "Payments are slow".to_owned(),
        services: vec!["pay".to_owned()],
        severity: 3,
        started_at: at(start),
        later_starts: Vec::new(),
        told_at: None,
        told_number: None,
        ended_at: end.map(at),
    })
}

/// Outages one after another, a minute or more apart.
fn outages(dice: &mut Dice) -> Vec<Outage> {
    let (count, mut minute) = (1 + dice.below(MOST), 0);
    let mut found = Vec::new();
    for number in 0..count {
        minute += 1 + i64::try_from(dice.below(10)).unwrap();
        let start = minute;
        minute += 1 + i64::try_from(dice.below(10)).unwrap();
        let goes_on = number + 1 == count && dice.below(2) == 0;
        found.push((start, (!goes_on).then_some(minute)));
    }
    found
}

/// The messages about outages, in order.
fn told(key: &str, outages: &[Outage]) -> Vec<Signal> {
    let both = |(start, end): &Outage| {
        let over = end.map(|end| alert(key, *start, Some(end)));
        std::iter::once(alert(key, *start, None)).chain(over)
    };
    outages.iter().flat_map(both).collect()
}

fn shuffled(mut signals: Vec<Signal>, dice: &mut Dice) -> Vec<Signal> {
    for place in (1..signals.len()).rev() {
        let other = usize::try_from(dice.below(place as u64 + 1)).unwrap();
        signals.swap(place, other);
    }
    signals
}

/// The incidents under a key, as outages.
fn kept(world: &World, key: &str) -> Vec<Outage> {
    let reference = format!("plain:{key}");
    let minute = |time: Timestamp| time.duration_since(at(0)).as_mins();
    let mut found = world.system(move |cx| {
        let directory = cx.directory()?;
        let own = directory.incidents.values();
        let own = own.filter(|it| it.external_ref.as_deref() == Some(reference.as_str()));
        Ok(own
            .map(|it| (it.started_at, it.resolved_at))
            .collect::<Vec<(Timestamp, Option<Timestamp>)>>())
    });
    found.sort_unstable();
    found
        .into_iter()
        .map(|(start, end)| (minute(start), end.map(minute)))
        .collect()
}

#[test]
fn alerts_that_flap_come_to_the_same_incidents_in_any_order_and_twice() {
    let world = World::new();
    for seed in 1..=orders(USUAL) {
        let mut dice = Dice(seed);
        let key = format!("group/{seed}");
        let outages = outages(&mut dice);
        let once = told(&key, &outages);
        let twice: Vec<Signal> = once.iter().chain(&once).cloned().collect();
        for signal in shuffled(twice, &mut dice) {
            world.take(signal);
        }
        assert_eq!(kept(&world, &key), outages, "seed {seed}");
    }
}

/// In the order in which they happen, with every earlier message again at any later time, as from a sender that retries.
#[test]
fn alerts_that_are_sent_again_late_open_and_end_nothing() {
    let world = World::new();
    for seed in 1..=orders(USUAL) {
        let mut dice = Dice(seed);
        let key = format!("group/late/{seed}");
        let outages = outages(&mut dice);
        let once = told(&key, &outages);
        for (place, signal) in once.iter().enumerate() {
            world.take(signal.clone());
            let earlier = usize::try_from(dice.below(place as u64 + 1)).unwrap();
            world.take(once[earlier].clone());
        }
        assert_eq!(kept(&world, &key), outages, "seed {seed}");
    }
}

/// A message about one incident of PagerDuty, which begins at 0: `O` opens it again, `R` resolves it.
fn of_pager(key: &str, what: char, told: i64) -> Signal {
    let Signal::Alert(bare) = alert(key, 0, (what == 'R').then_some(told)) else {
        unreachable!("it is an alert")
    };
    Signal::Alert(Alert {
        reopens: what == 'O',
        tells_state: what != 'O',
        told_at: (what != 'T').then(|| at(told)),
        ..bare
    })
}

/// All orders of so many things.
fn every_order(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let mut found = Vec::new();
    for order in every_order(last) {
        for place in 0..=last {
            let mut order = order.clone();
            order.insert(place, last);
            found.push(order);
        }
    }
    found
}

#[test]
fn what_its_source_opened_again_is_open_or_over_in_any_order_of_its_messages() {
    let world = World::new();
    let messages = [('T', 0), ('R', 10), ('O', 20), ('R', 30)];
    for (count, goes_on) in [(3, true), (4, false)] {
        for order in every_order(count) {
            let key = format!("pager/{order:?}");
            for (what, told) in order.iter().map(|place| messages[*place]) {
                world.take(of_pager(&key, what, told));
            }
            let kept = kept(&world, &key);
            assert_eq!(kept.len(), 1, "{order:?}: {kept:?}");
            assert_eq!((kept[0].0, kept[0].1.is_none()), (0, goes_on), "{order:?}: {kept:?}");
        }
    }
}

/// A report of an issue of Jira or a record of ServiceNow that began at 0, with its number and its end.
fn of_record(key: &str, (told, number, end): (i64, i64, Option<i64>)) -> Signal {
    let Signal::Alert(bare) = alert(key, 0, end) else {
        unreachable!("it is an alert")
    };
    Signal::Alert(Alert {
        reopens: end.is_none(),
        tells_state: true,
        told_at: Some(at(told)),
        told_number: Some(number),
        ..bare
    })
}

#[test]
fn the_reports_of_a_record_come_to_one_incident_in_any_order_and_twice() {
    let world = World::new();
    let created = (0, 0, None);
    let edited = (5, 1, None);
    let (resolved, closed) = ((10, 2, Some(10)), (12, 3, Some(10)));
    let reopened = (12, 4, None);
    let again = (30, 5, Some(30));
    let courses = [
        (vec![created, edited, resolved, reopened], None),
        (vec![created, resolved, closed, reopened], None),
        (vec![resolved, closed, reopened, again], Some(30)),
        (vec![created, edited, resolved, closed], Some(10)),
    ];
    for (course, end) in courses {
        for order in every_order(course.len()) {
            let key = format!("issue/{end:?}/{course:?}/{order:?}");
            for place in order.iter().chain(&order) {
                world.take(of_record(&key, course[*place]));
            }
            assert_eq!(kept(&world, &key), [(0, end)], "{course:?} in the order {order:?}");
        }
    }
}
