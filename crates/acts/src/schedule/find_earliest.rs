//! Finds how soon a change that is not written yet could start: by the rules that would apply to it.

use jiff::Timestamp;
use model::change::change_file::ChangeFile;
use model::change::read_content;
use model::change::requirement::earliest_start;
use model::change::write::{create, new_change};
use model::core::act::Act;
use model::core::body::Body;
use model::core::refusal::Refusal;

use crate::core::context::Context;
use crate::core::error::{Error, Result};

/// The earliest start by the rules on lead time; `None` where none applies, or while fields are missing.
///
/// # Errors
/// 403, or the store's.
pub fn find_earliest(cx: &mut Context<'_, '_>, body: &Body) -> Result<Option<Timestamp>> {
    cx.allow(Act::Create.as_str())?;
    let directory = cx.directory()?;
    let mut body = body.clone();
    read_content::fill_from_template(&mut body, &directory);
    let requester = cx.actor.person.clone();
    let Ok(input) = read_content::read(&body, &directory, &requester, None) else {
        return Ok(None);
    };
    let id = cx.new_id()?;
    let change = new_change(&id, String::new(), 0, input, requester, cx.now);
    let mut earliest = None;
    // It is made as any change is, and refused when all is known of it, so that nothing is kept.
    let tried = cx.on_file(None, ChangeFile::new(change), |case| {
        create(case)?;
        earliest = earliest_start(&case.file, &case.directory, case.now).map(|(at, _)| at);
        Err::<(), Refusal>(Refusal::not_found("a trial".to_owned()))
    });
    match tried {
        Ok(()) | Err(Error::Refused(_)) => Ok(earliest),
        Err(other) => Err(other),
    }
}
