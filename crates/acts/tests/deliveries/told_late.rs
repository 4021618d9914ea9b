//! A deployment that nothing allowed is in every list, whatever its time and whatever draft was made of it.

use acts::gate::coverage;
use acts::incident::find_what_changed::{Question, find_what_changed};
use jiff::SignedDuration;

use crate::{World, artifact, began, status};

#[test]
fn a_deployment_that_nothing_allowed_is_listed_though_it_is_dated_back_and_has_a_draft() {
    let world = World::new();
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("stranger", &artifact(9, 0), "success", 4));
    let answer = world.by("mona", |cx| {
        let question = Question {
            service: Some("pay".to_owned()),
            item: None,
            before: began() + SignedDuration::from_mins(30),
            hours: 1,
        };
        find_what_changed(cx, &question)
    });
    let strays = answer.items.iter().filter(|it| it.deployment.is_some());
    assert_eq!(strays.count(), 1, "{:?}", answer.items);

    let told_in = world.system(|cx| coverage::unmatched(cx, began() + SignedDuration::from_mins(20)));
    let marks: Vec<bool> = told_in.iter().map(|it| it.backdated).collect();
    assert_eq!(marks, [true], "it was told after the begin, as of a time before it");
    let later = world.system(|cx| coverage::unmatched(cx, began() + SignedDuration::from_mins(31)));
    assert!(later.is_empty(), "{later:?}");
}
