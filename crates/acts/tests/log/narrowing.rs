//! The log narrowed page by page: an answer looks at so many entries and no more, says that it stopped there, and the pages
//! together hold every entry that fits, once.

use acts::audit::find_log::{LogFilter, LogPage, search_within};
use acts::core::write;
use serde_json::json;
use store::audit::log;

use crate::world::World;

/// Looks at no more than this with one answer.
const MOST: i64 = 10;

/// All pages of what fits a filter, each looking at `most` entries.
fn pages(world: &World, filter: &LogFilter, (most, limit): (i64, i64)) -> Vec<LogPage> {
    let mut found: Vec<LogPage> = Vec::new();
    loop {
        let (filter, before) = (filter.clone(), found.last().and_then(|page| page.next));
        let page = world
            .look(move |cx| search_within(cx, &filter, most, before, limit))
            .unwrap();
        assert!(before.is_none_or(|before| page.next.is_none_or(|next| next < before)));
        found.push(page);
        if found.last().is_some_and(|page| page.next.is_none()) {
            return found;
        }
    }
}

fn indexes(pages: &[LogPage]) -> Vec<i64> {
    let entries = pages.iter().flat_map(|page| &page.entries);
    entries.map(|told| told.index.unwrap()).collect()
}

/// A log in which little is about what is asked for, and far apart.
fn long_log() -> World {
    let world = World::new();
    for round in 0..3 {
        world.draft(&format!("Draft {round}"));
        world.noise(4 * usize::try_from(MOST).unwrap() + round);
        world.system(|cx| {
            let pay = cx.directory()?.services.get(&"pay".into()).unwrap().id.0.clone();
            let drafts = (0..7)
                .map(|_| write::draft("tenant.looked_at", ("service", pay.clone()), cx.now, json!({})))
                .collect();
            cx.tell(drafts, write::Written::default())
        });
    }
    world.sequence();
    world
}

#[test]
fn an_answer_that_stopped_says_so_and_from_where_the_next_goes_on() {
    let world = long_log();
    let of_kind = LogFilter {
        kind: Some("change".to_owned()),
        ..LogFilter::default()
    };
    let whole = pages(&world, &of_kind, (i64::MAX, 1_000));
    assert_eq!(whole.len(), 1);
    assert!(!whole[0].is_cut && whole[0].entries.len() >= 3, "{whole:?}");
    let found = pages(&world, &of_kind, (MOST, 1_000));
    assert_eq!(indexes(&found), indexes(&whole));
    let (last, before) = found.split_last().unwrap();
    assert!(!last.is_cut, "the beginning of the log was looked at");
    assert!(before.iter().all(|page| page.is_cut && page.next.is_some()));
    assert!(before.iter().any(|page| page.entries.is_empty()), "a page may be empty");
    // The first answer looked at the newest entries, and at no other.
    let size = world.look(|cx| Ok(log::state(cx.tx)?.unwrap().size)).unwrap();
    assert_eq!(found[0].next, Some(size - MOST));
    // With few a page, a full one ends where it is full and says nothing of a cut.
    let few = pages(&world, &of_kind, (MOST, 1));
    assert_eq!(indexes(&few), indexes(&whole));
}

#[test]
fn what_is_about_one_thing_is_cut_by_what_is_about_it_and_a_change_never() {
    let world = long_log();
    let about = |word: &str, kind: Option<&str>| LogFilter {
        about: Some(word.to_owned()),
        kind: kind.map(str::to_owned),
        ..LogFilter::default()
    };
    let whole = pages(&world, &about("pay", None), (i64::MAX, 1_000));
    assert_eq!(whole.len(), 1);
    assert!(whole[0].entries.len() > 21, "{}", whole[0].entries.len());
    // Its oldest entries alone fit, behind pages of others.
    let oldest = about("pay", Some("service"));
    let found = pages(&world, &oldest, (MOST, 1_000));
    assert!(
        found.len() > 2 && found[0].is_cut && found[0].entries.is_empty(),
        "{found:?}"
    );
    assert_eq!(indexes(&found), indexes(&pages(&world, &oldest, (i64::MAX, 1_000))));
    let change = pages(&world, &about("CHG-1001", None), (1, 1_000));
    assert_eq!(change.len(), 1);
    assert!(!change[0].is_cut && !change[0].entries.is_empty(), "{change:?}");
}
