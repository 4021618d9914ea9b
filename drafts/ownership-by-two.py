import shutil
def sub(p,a,b,cnt=1):
    s=open(p).read()
    assert a in s,(p,a)
    open(p,'w').write(s.replace(a,b,cnt))
shutil.copy('drafts/propose_ownership.rs','crates/acts/src/propose_ownership.rs')
sub('crates/acts/src/lib.rs','pub mod prove_event;','pub mod propose_ownership;\npub mod prove_event;')
sub('crates/model/src/words.rs','''        Mapping = "mapping",
    }
    /// Where a configuration stands.''','''        Mapping = "mapping",
        /// Rows of the ownership matrix.
        Ownership = "ownership",
    }
    /// Where a configuration stands.''')
sub('crates/model/src/configuration.rs','''    /// Who proposed it.
    pub proposer''','''    /// Rows of the ownership matrix to set, as they were read when they were proposed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ownerships: Vec<crate::matrix::Ownership>,
    /// Rows of the matrix to end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<RecordId>,
    /// Whether rows that move decisions need two people from then on; absent where that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership_by_two: Option<bool>,
    /// Who proposed it.
    pub proposer''')
sub('crates/model/src/configuration.rs','''    /// Policies, the risk table or the mapping.''','''    /// Policies, the risk table, the mapping, or rows of the ownership matrix.''')
sub('crates/model/src/directory.rs','''    /// How often a review of access begins by itself.
    #[serde''','''    /// Whether rows of the ownership matrix that move decisions go live by two people alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ownership_by_two: bool,
    /// How often a review of access begins by itself.
    #[serde''')
for p in ['crates/model/tests/it/people.rs','crates/acts/src/create_tenant.rs','crates/acts/src/search_histories/cast.rs']:
    sub(p,'access_review_period: Default::default(),','access_review_period: Default::default(),\n            ownership_by_two: false,')
p='crates/acts/src/propose_configuration.rs'
sub(p,'''        rules: Vec::new(),
        proposer''','''        rules: Vec::new(),
        ownerships: Vec::new(),
        ends: Vec::new(),
        ownership_by_two: None,
        proposer''')
sub(p,'''        ConfigurationKind::Mapping => ("mapping.proposed", proposal.digest.clone()),
''','''        ConfigurationKind::Mapping => ("mapping.proposed", proposal.digest.clone()),
        ConfigurationKind::Ownership => ("ownership.proposed", proposal.digest.clone()),
''')
p='crates/acts/src/activate_configuration.rs'
sub(p,'''    check_again(room, &proposal)?;
    put_in_force(room, proposal, change_key)''','''    if proposal.kind == ConfigurationKind::Ownership {
        return crate::propose_ownership::put_in_force(room, proposal, change_key);
    }
    check_again(room, &proposal)?;
    put_in_force(room, proposal, change_key)''')
sub(p,'''        ConfigurationKind::Mapping => &tenant.mapping_from,
    };''','''        ConfigurationKind::Mapping => &tenant.mapping_from,
        // Rows stand beside each other: none is in force instead of another.
        ConfigurationKind::Ownership => &None,
    };''')
sub(p,'''        (None, ConfigurationKind::Mapping) => (None, crate::set_mapping::digest_of(&tenant.mapping)?),
''','''        (None, ConfigurationKind::Mapping) => (None, crate::set_mapping::digest_of(&tenant.mapping)?),
        (None, ConfigurationKind::Ownership) => (None, String::new()),
''')
sub(p,'''            tenant.mapping.clone_from(&active.rules);
        }
''','''            tenant.mapping.clone_from(&active.rules);
        }
        ConfigurationKind::Ownership => {}
''')
sub(p,'''        (ConfigurationKind::Mapping, _) => "mapping.activated",
''','''        (ConfigurationKind::Mapping, _) => "mapping.activated",
        (ConfigurationKind::Ownership, _) => "ownership.activated",
''')
sub(p,'''fn tell_people(room''','''///
/// # Errors
/// The store's.
pub(crate) fn tell_people(room''')
sub(p,'''        ConfigurationKind::Mapping => "The mapping",
''','''        ConfigurationKind::Mapping => "The mapping",
        ConfigurationKind::Ownership => "Rows of the ownership matrix",
''')
sub('crates/server/src/web/policies.rs','''        ConfigurationKind::Mapping => "a mapping",
''','''        ConfigurationKind::Mapping => "a mapping",
        ConfigurationKind::Ownership => "rows of the ownership matrix",
''')
p='crates/acts/src/set_service.rs'
sub(p,'''    row.id = named(room, &row.id)?;
    let row = room.put_estate("ownership.set"''','''    crate::propose_ownership::check_alone(room, &row)?;
    row.id = named(room, &row.id)?;
    let row = room.put_estate("ownership.set"''')
sub(p,'''    let ended = Ownership {
        ends_at: Some(room.now),
        ..row
    };
    let row = room''','''    crate::propose_ownership::check_alone(room, &row)?;
    let ended = Ownership {
        ends_at: Some(room.now),
        ..row
    };
    let row = room''')
p='crates/acts/src/import_directory.rs'
sub(p,'''            Write::Ownership(row)
                if self.known''','''            Write::Ownership(row)
                if !room.actor.is_system
                    && self.known.get(&row.natural_key()) != Some(row)
                    && propose_ownership::needs_two(&self.directory, row) =>
            {
                let text = format!("{} Propose it (`POST /ownership-proposals`).", propose_ownership::ALONE);
                reading.wrong("role", "two_people_needed", text);
            }
            Write::Ownership(row)
                if self.known''')
s=open(p).read(); s=s.replace('use crate::own_request;','use crate::own_request;\nuse crate::propose_ownership;',1); open(p,'w').write(s)
p='crates/server/src/api/configuration.rs'
sub(p,'''    Route::get(
        "/configurations",''','''    Route::post(
        "/ownership-proposals",
        "Proposes rows of the ownership matrix, for another person or an approved change to put in force.",
        |room, ask| {
            let made = acts::propose_ownership::propose_ownership(room, &ask.body)?;
            created(room, &made)
        },
    )
    .scope(Scope::Admin),
    Route::get(
        "/configurations",''')
sub('crates/server/src/access/rules.txt','GET /api/v1/ownership-lines | read','POST /api/v1/ownership-proposals | set_ownership\nGET /api/v1/ownership-lines | read')
p='crates/wire/src/openapi/configuration.rs'
sub(p,'''    Row {
        params: KIND,
        ..list(
            "administration",
            "list_configurations",''','''    post(
        "administration",
        "propose_ownership",
        "/ownership-proposals",
        "Propose rows of the ownership matrix",
        "OwnershipProposalInput",
        "Configuration",
    ),
    Row {
        params: KIND,
        ..list(
            "administration",
            "list_configurations",''')
sub(p,'''    shape(
        "RiskTableInput",''','''    shape(
        "OwnershipProposalInput",
        "Rows that go live by two people.",
        &[
            objects("rows", "OwnershipInput", "Rows to set."),
            texts("end", LINE, "Ids of rows to end."),
            boolean(
                "by_two",
                "Whether rows that move decisions need two people from then on; as it is unless said.",
            ),
            text("reason", TEXT, "Why.").needed(),
        ],
    ),
    shape(
        "RiskTableInput",''')
p='crates/wire/src/openapi/answers.rs'
sub(p,'''            boolean("log_is_public", "Whether its log is read without a credential."),''','''            boolean("log_is_public", "Whether its log is read without a credential."),
            boolean(
                "ownership_by_two",
                "Whether rows of the matrix that move decisions go live by two people alone.",
            ),''')
p='crates/assent/src/commands/directory.rs'
sub(p,'''    /// List the rows.
    List,
    /// End a row now''','''    /// Propose rows, for another person or an approved change to put in force (`assent policy activate`).
    #[command(after_help = "Example: assent ownership propose rows.json --reason 'The team was split.'\\n         \\
        assent ownership propose --by-two true --reason 'Nobody moves decisions alone.'")]
    Propose {
        /// A file with a JSON list of rows as the API takes them; `-` for standard input.
        file: Option<String>,
        /// The id of a row to end; may be given several times.
        #[arg(long)]
        end: Vec<String>,
        /// Whether rows that move decisions need two people from then on.
        #[arg(long)]
        by_two: Option<bool>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List the rows.
    List,
    /// End a row now''')
open('docs/decisions/0017-rows-of-two.md','w').write('''# 0017. Rows of the matrix that go live by two people

## Status
Accepted.

## Context
Policies, the risk table and the mapping go live by two people or by an approved change ([0011](0011-configurations-of-two.md)).
The ownership matrix moves decisions just as much: whoever is made an owner is asked. But the matrix is also what a tenant
fills in its first hour, often by one administrator and by imports of thousands of rows, and what a directory keeps moving
afterwards. Nobody can make *themselves* answer for anything; that is refused everywhere and always.

## Decision
- A tenant says whether rows that move decisions (every part but implementer and pipeline) need two people. **Unless it says
  so, they do not**: the first hour, imports and the demo go on as they are, and each write is an event with before and after.
- Rows are proposed as a configuration of the kind `ownership` and put in force by the same act as the others: by a second
  person who sets policies, or by an approved change one of whose targets has the proposal's digest as its artifact. Rows are
  matched by their natural key when they go live, so that an edit in between is not undone blindly.
- The setting itself is such a proposal (`by_two`). It takes two people to turn it on, so nobody who is alone locks themselves
  out; and two to turn it off.
- With it on, a row set or ended directly, or by an import, is refused (409 `two_people_needed`, in an import the line).
  What a manager refuses in a review of access still ends with their signature: that takes a right away, under the eyes of
  whoever began the review.

## Given up
- Members of groups are not under it: SCIM and identity providers move them, and somebody else answers for those.
- An import cannot be turned into a proposal yet; a proposal has at most 100 rows.
''')
sub('tests/e2e/every_route.json','''["admin", "PUT", "/access-review-schedule"''','''["admin", "POST", "/ownership-proposals", [], {"rows": [{"service": "label-print", "role": "technical_lead", "group": "security"}], "reason": "Somebody looks on."}, {}],
["admin", "PUT", "/access-review-schedule"''')
sub('CHANGELOG.md','''- The last administrator's right''','''- Rows of the ownership matrix that move decisions go live by two people or by an approved change where a tenant says so
  (`POST /ownership-proposals` with `by_two`, `assent ownership propose`); set alone they are refused then (409
  `two_people_needed`).
- The last administrator's right''')
p='docs/guide/ownership-moves.md'
s=open(p).read()
s=s.rstrip('\n')+'''

A tenant may ask that nobody moves decisions alone. Turning that on takes two people, as everything under it does then: one
proposes, another puts it in force, or an approved change that names the proposal's digest.

```sh
. docs/guide/prelude.sh
by_two() {
  local id; id=$(call admin POST /ownership-proposals "{\\"by_two\\": $1, \\"reason\\": \\"Nobody moves decisions alone.\\"}" | jq -r .id)
  refused 409 second_person_needed admin POST "/configurations/$id/activation" '{}'
  call change_manager POST "/configurations/$id/activation" '{}' >/dev/null
}
by_two true
ROW='{"service": "label-print", "role": "technical_lead", "group": "security"}'
refused 409 two_people_needed admin POST /ownerships "$ROW"
PROPOSAL=$(call admin POST /ownership-proposals "{\\"rows\\": [$ROW], \\"reason\\": \\"Security looks after printing.\\"}" | jq -r .id)
call change_manager POST "/configurations/$PROPOSAL/activation" '{}' | jq -r .state
SET=$(call admin GET '/ownerships?limit=200' | jq -r '[.items[] | select(.service == "label-print" and .group == "security" and .role == "technical_lead")][0].id')
refused 409 two_people_needed admin DELETE "/ownerships/$SET"
by_two false
call admin DELETE "/ownerships/$SET" >/dev/null
```
'''
open(p,'w').write(s)

sub('crates/wire/src/openapi/configuration.rs','Shape, Words, all, integer,','Shape, Words, all, boolean, integer,')
p='crates/assent/src/commands/directory.rs'
sub(p,"""        Ownership::List => {
            let heads = [""","""        Ownership::Propose {
            file,
            end,
            by_two,
            reason,
        } => {
            let mut body = json!({"end": end, "reason": reason});
            if let Some(file) = file {
                body["rows"] = serde_json::from_str(&crate::failure::read_text(file)?)
                    .map_err(|why| crate::failure::Failure::could_not(format!("`{file}` is no JSON list of rows: {why}")))?;
            }
            if let Some(by_two) = by_two {
                body["by_two"] = json!(by_two);
            }
            let made = client.post("/ownership-proposals", &body)?.body;
            output.data(&made, |output| output.line(&format!("proposed {}", text_of(&made, "id"))));
            output.next(&format!("assent policy activate {}", text_of(&made, "id")));
        }
        Ownership::List => {
            let heads = [""")
