//! No text is torn in two where a page is narrow or much is side by side, and folded parts still have their labels.

use serde_json::json;
use tests::browser::Look;
use tests::journey;

use crate::desk::Desk;

/// The terms of usual length that are on more than one line, apart from code, keys and digests.
const TORN: &str = "const torn = [], range = document.createRange();
    const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode;
        if (!text.parentElement.checkVisibility() || text.parentElement.closest('.vh, code, pre, .key, .proof, svg')) continue;
        for (const word of text.data.matchAll(/\\p{L}{4,20}/gu)) {
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            const lines = [...range.getClientRects()].filter((one) => one.width > 0).map((one) => Math.round(one.top));
            if (new Set(lines).size > 1) torn.push(word[0]);
        }
    }
    return torn.join(' ');";

#[test]
fn no_word_is_torn_in_two_on_a_phone_or_where_six_changes_run_at_once() {
    let desk = Desk::open();
    let browser = &desk.browser;
    for number in 0..6 {
        let title = format!("Print customs references, part {number}");
        let digest = journey::artifact(7_300 + number);
        let mut request = journey::request(&title, &digest, desk.server.server_time());
        request["planned_start"] = json!("2031-03-05T21:00:00Z");
        request["planned_end"] = json!("2031-03-05T23:00:00Z");
        desk.api("requester", "POST", "/changes", request);
    }
    desk.api("admin", "POST", "/access-reviews", json!({}));
    desk.sign_in("admin");
    for path in [
        "/policies",
        "/policies?language=de",
        "/access-reviews?language=en",
        "/calendar?view=week&from=2031-03-03",
        "/calendar?view=month&from=2031-03-03",
        "/calendar?view=day&from=2031-03-05",
    ] {
        desk.go(path);
        for look in [Look::NARROW, Look::DESK] {
            browser.look(look);
            let torn = browser.run(TORN, &[]);
            assert_eq!(torn, "", "{path} at {}", look.name());
        }
    }
    browser.look(Look::NARROW);
    desk.go("/access-reviews");
    let folded = browser.text("#reviews .under");
    assert!(folded.contains("Rights") && folded.contains("Until"), "{folded}");
}
