//! Texts that would abort the process, fail open or mean something else than they seem to.

use crate::support::{Names, compile, file, findings, hasher, with_house};
use policy::{Finding, PolicySet};

const HEAD: &str = "@id(\"house.a\")\n@reason(\"Why.\")\n";
const REQUIRE: &str = "permit (principal, action == Action::\"require\", resource)";
const APPROVE: &str = "(principal, action == Action::\"approve_change\", resource)";

/// The findings' codes with their lines.
fn codes(findings: &[Finding]) -> Vec<(&'static str, u32)> {
    findings.iter().map(|finding| (finding.code, finding.line)).collect()
}

#[test]
fn texts_that_are_too_deep_or_too_long_never_reach_the_parser() {
    for (open, close) in [("(", ")"), ("!(", ")"), ("[", "]"), ("{a:", "}")] {
        let text = format!(
            "{HEAD}permit {APPROVE}\nwhen {{ {}true{} }};",
            open.repeat(130),
            close.repeat(130)
        );
        assert_eq!(codes(&findings(&text)), [("too_deep", 4)], "{open}");
    }
    for term in ["1 + ", "true && ", "resource.nothing == 1 && "] {
        let text = format!("{HEAD}permit {APPROVE}\nwhen {{ {}1 == 1 }};", term.repeat(2_000));
        assert_eq!(codes(&findings(&text)), [("too_long", 4)], "{term}");
    }
    let open = format!("{HEAD}permit {APPROVE}\nwhen {{ \"open }};");
    assert_eq!(codes(&findings(&open)), [("open_text", 4)]);
    let large = format!("{HEAD}permit {APPROVE}; //{}", "x".repeat(300_000));
    assert_eq!(codes(&findings(&large)), [("too_large", 1)]);
    let many = "permit(principal, action, resource);".repeat(1_001);
    assert!(findings(&many).iter().any(|finding| finding.code == "too_many"));
}

#[test]
fn the_largest_policy_that_is_let_in_is_judged() {
    let terms = "resource.risk_number >= 0 && ".repeat(155);
    let text = format!("{HEAD}@require(\"review\")\n{REQUIRE}\nwhen {{ {terms}true }};");
    let set = compile(&with_house(&text), "").unwrap_or_else(|findings| panic!("{findings:#?}"));
    let answer = policy::on_policy_thread(|| set.require(&crate::support::change(), &[]));
    assert_eq!(answer.stop, None);
    assert!(answer.obligations.iter().any(|row| row.obligation.id == "house.a"));
    let deep = format!("{}true{}", "(".repeat(31), ")".repeat(31));
    let text = format!("{HEAD}@require(\"review\")\n{REQUIRE}\nwhen {{ {deep} && resource.risk_number >= 0 }};");
    assert_eq!(findings(&text), []);
}

#[test]
fn no_shape_of_the_largest_policy_aborts() {
    let shapes = [
        format!("1{} == 2", " + 1".repeat(470)),
        format!("1{} == 2", " * 1".repeat(470)),
        format!("resource{} == 2", ".risk".repeat(470)),
        format!("resource has risk{}", ".risk".repeat(470)),
        format!("{}true", "!".repeat(900)),
        format!("{}1 == 1", "-".repeat(900)),
        format!("[{}1].contains(1)", "1, ".repeat(460)),
        format!("{}1{}.isEmpty()", "[".repeat(31), "]".repeat(31)),
        format!("{}true{}", "!(".repeat(31), ")".repeat(31)),
        format!("{}true", "if true then false else ".repeat(30)),
        format!("{}true", "if true || false then false && true else ".repeat(30)),
        format!("true{}", " || resource.expedited".repeat(230)),
        format!("\"a\"{}", " like \"*\"".repeat(300)),
        format!("principal{}", " in principal".repeat(400)),
    ];
    for shape in shapes {
        let text = format!("{HEAD}permit {APPROVE}\nwhen {{ {shape} }};");
        let found = findings(&text);
        assert!(
            !found
                .iter()
                .any(|finding| finding.code == "too_long" || finding.code == "too_deep"),
            "{text}"
        );
    }
}

#[test]
fn only_policies_and_parameters_belong_to_a_set() {
    let mut files = policy::base().files;
    files.push(file("house/house.cases", "case a"));
    assert_eq!(codes(&compile(&files, "").unwrap_err()), [("unknown_file", 1)]);
    let own = format!("@id(\"assent.a\")\n@reason(\"Why.\")\npermit {APPROVE};");
    for (name, code) in [("assent/a.cedar", "id"), ("As sent/a.cedar", "id")] {
        let mut files = policy::base().files;
        files.push(file(name, &own));
        assert_eq!(codes(&compile(&files, "").unwrap_err()), [(code, 1)]);
    }
    let files = [policy::base().files, policy::base().files].concat();
    assert_eq!(codes(&compile(&files, "").unwrap_err()), [("duplicate_file", 1)]);
}

/// The pack of a file is a part of its name, so a name is clear by itself.
#[test]
fn a_name_that_leads_out_of_its_folder_is_refused() {
    let own = format!("@id(\"base.a\")\n@reason(\"Why.\")\npermit {APPROVE};");
    for name in [
        "house/../base/x.cedar",
        "./base/x.cedar",
        "/base/x.cedar",
        "base//x.cedar",
        "../base/x.cedar",
    ] {
        let mut files = policy::base().files;
        files.push(file(name, &own));
        let findings = compile(&files, "").unwrap_err();
        assert_eq!(codes(&findings), [("bad_path", 1)], "{name}");
        assert_eq!(findings[0].file, name);
    }
}

#[test]
fn a_schema_that_is_too_deep_is_refused() {
    let schema = format!("entity A = {{ a: {}Long{} }};", "Set<".repeat(500), ">".repeat(500));
    let findings = PolicySet::compile(&policy::base().files, "", &schema, &Names, hasher).unwrap_err();
    assert_eq!(codes(&findings), [("too_deep", 1)]);
    let findings = PolicySet::compile(&policy::base().files, "", "entity A\nentity", &Names, hasher).unwrap_err();
    assert_eq!(findings[0].code, "schema");
}

#[test]
fn a_schema_of_what_facts_are_never_made_of_is_refused() {
    for (more, told) in [
        ("entity Extra = { a: { b: Long } };", "`a` of the type `Extra`"),
        ("entity Extra = { a?: Long };", "`a` of the type `Extra`"),
        ("entity Extra = { a: decimal };", "`a` of the type `Extra`"),
        ("entity Extra tags Long;", "`tags` of the type `Extra`"),
        ("action all; action one in [all];", "`one` is in a group of actions"),
    ] {
        let schema = format!("{}\n{more}", policy::SCHEMA);
        let findings = PolicySet::compile(&policy::base().files, "", &schema, &Names, hasher).unwrap_err();
        assert_eq!(codes(&findings), [("schema", 1)], "{more}");
        assert!(findings[0].text.contains(told), "{}", findings[0].text);
    }
}

/// Annotations before a policy of `require`, the code and line of the finding, and its help.
const ANNOTATIONS: &[(&str, &str, u32, &str)] = &[
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@reuire(\"review\")\n",
        "unknown_annotation",
        3,
        "did you mean `@require`?",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"reveiw\")\n",
        "unknown_kind",
        3,
        "did you mean `review`?",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"review\")\n@count(\"2\")\n",
        "misplaced_annotation",
        4,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"approval\")\n@from(\"owner\")\n",
        "annotation_missing",
        1,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"peer_review\")\n@count(\"0\")\n",
        "bad_value",
        4,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"lead_time\")\n@lead_time(\"5 days\")\n",
        "bad_value",
        4,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"peer_review\")\n@count(\"$mny\")\n",
        "parameter",
        4,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@require(\"peer_review\")\n@count(2)\n",
        "parse",
        4,
        "",
    ),
    (
        "@id(\"house.a\")\n@reason(\"Why.\")\n@reason(\"Why.\")\n@require(\"review\")\n",
        "parse",
        3,
        "",
    ),
    ("@id(\"house.a\")\n@require(\"review\")\n", "reason", 1, ""),
    ("@reason(\"Why.\")\n@require(\"review\")\n", "id", 1, ""),
    (
        "@id(\"base.a\")\n@reason(\"Why.\")\n@require(\"review\")\n",
        "id",
        1,
        "",
    ),
    ("@id(\"house.a\")\n@reason(\"Why.\")\n", "require_missing", 1, ""),
];

#[test]
fn annotations_are_a_closed_vocabulary_with_lines() {
    for (head, code, line, help) in ANNOTATIONS {
        let found = findings(&format!("{head}{REQUIRE};"));
        let row = found
            .iter()
            .find(|finding| finding.code == *code && finding.line == *line);
        let row = row.unwrap_or_else(|| panic!("{head}: {found:#?}"));
        assert!(help.is_empty() || row.help.as_deref() == Some(*help), "{row:?}");
        assert_eq!(row.file, "house/house.cedar");
    }
}

/// Policies whose scope or effect would let something through.
fn wrong_scopes() -> Vec<(String, &'static str)> {
    vec![
        (
            format!("{HEAD}@require(\"review\")\nforbid (principal, action == Action::\"require\", resource);"),
            "forbid_of_require",
        ),
        (
            format!("{HEAD}forbid (principal, action, resource);"),
            "actions_not_named",
        ),
        (
            format!("{HEAD}permit (principal, action, resource);"),
            "actions_not_named",
        ),
        (
            format!("{HEAD}forbid (principal, action in Action::\"all\", resource);"),
            "unknown_action",
        ),
        (
            format!(
                "{HEAD}@require(\"review\")\npermit (principal, action in [Action::\"require\", Action::\"read\"], resource);"
            ),
            "scope_of_require",
        ),
        (
            format!(
                "{HEAD}@require(\"review\")\npermit (principal == System::\"assent\", action == Action::\"require\", resource);"
            ),
            "scope_of_require",
        ),
        (
            format!("{HEAD}@require(\"review\")\n{REQUIRE} when {{ resource.requester in Group::\"security\" }};"),
            "membership_in_require",
        ),
    ]
}

/// Policies whose conditions or names would let something through.
fn wrong_conditions() -> Vec<(String, &'static str)> {
    vec![
        (
            format!("{HEAD}permit {APPROVE} when {{ resource.rsik_number > 1 }};"),
            "validation",
        ),
        (
            format!("{HEAD}permit {APPROVE} when {{ resource.risk == Level::\"hgih\" }};"),
            "validation",
        ),
        (
            format!("{HEAD}permit {APPROVE} when {{ context.target.has_artifact }};"),
            "validation",
        ),
        (
            format!("{HEAD}permit {APPROVE} when {{ resource.risk_number == \"3\" }};"),
            "validation",
        ),
        (format!("{HEAD}permit {APPROVE} when {{ false }};"), "validation"),
        (
            format!("{HEAD}permit {APPROVE} when {{ principal in Group::\"own-pya\" }};"),
            "unknown_name",
        ),
        (
            format!("{HEAD}permit {APPROVE} when {{ principal.person == Person::\"p-9\" }};"),
            "unknown_name",
        ),
        (
            format!("{HEAD}permit {APPROVE} when {{ resource == Change::\"c-9\" }};"),
            "may_not_be_named",
        ),
        (
            format!("{HEAD}@require(\"approval\")\n@from(\"group:dba\")\n@covers(\"what\")\n{REQUIRE};"),
            "unknown_name",
        ),
        (
            format!(
                "{HEAD}@require(\"approval\")\n@from(\"group:cab,group:dba\")\n@count(\"2\")\n@distinct_groups\n\
                 @covers(\"what\")\n{REQUIRE};"
            ),
            "unknown_name",
        ),
        (
            format!(
                "{HEAD}@require(\"approval\")\n@from(\"group:cab,group:ecab\")\n@count(\"3\")\n@distinct_groups\n\
                 @covers(\"what\")\n{REQUIRE};"
            ),
            "bad_value",
        ),
        (
            format!("{HEAD}permit (principal == ?principal, action == Action::\"read\", resource);"),
            "parse",
        ),
        (
            format!("{HEAD}permit (principal, action == Action::\"raed\", resource);"),
            "unknown_action",
        ),
        (format!("{HEAD}permit {APPROVE}"), "parse"),
        ("what is this".to_owned(), "parse"),
    ]
}

#[test]
fn what_would_fail_open_is_refused() {
    for (text, code) in wrong_scopes().into_iter().chain(wrong_conditions()) {
        let found = findings(&text);
        assert!(found.iter().any(|finding| finding.code == code), "{text}\n{found:#?}");
        for unknown in found.iter().filter(|finding| finding.code == "unknown_name") {
            let said = unknown.to_string();
            let named = said.split('`').nth(1).unwrap();
            let line = text.lines().nth(unknown.line as usize - 1).unwrap();
            assert!(line.contains(named), "{said} is not in `{line}`");
            assert!(
                unknown.help.is_some() && said.contains("; for example `principal in Group::"),
                "{said}"
            );
        }
    }
    let twice = format!(
        "{HEAD}permit (principal, action in [Action::\"read\", Action::\"audit\", Action::\"read\"], resource);"
    );
    assert_eq!(findings(&twice), []);
    let fine = format!("{HEAD}permit {APPROVE} when {{ principal in Group::\"own-pay\" }};");
    assert_eq!(findings(&fine), []);
}

#[test]
fn an_id_is_used_once_and_told_where() {
    let text = format!("{HEAD}permit {APPROVE};\n\n{HEAD}permit {APPROVE};");
    let found = findings(&text);
    assert_eq!(codes(&found), [("duplicate_id", 5)]);
    assert_eq!(found[0].text, "the id `house.a` is already used at house/house.cedar:1");
}

#[test]
fn several_mistakes_are_told_at_once_in_order() {
    let text = format!(
        "permit {APPROVE};\n@id(\"house.b\")\n@reason(\"\")\npermit {APPROVE};\n{HEAD}permit {APPROVE} when {{ 1 }};"
    );
    let found = findings(&text);
    let lines: Vec<u32> = found.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [1, 1, 2, 7], "{found:#?}");
}

#[test]
fn the_base_obligation_cannot_be_left_out_or_given_a_condition() {
    let found = compile(&[file("house/house.cedar", "")], "").unwrap_err();
    assert_eq!(codes(&found), [("base_obligation", 1)]);
    let mut files = policy::base().files;
    for file in &mut files {
        file.text = file
            .text
            .replacen("resource);", "resource)\nwhen { resource.expedited };", 1);
    }
    let found = compile(&files, "").unwrap_err();
    assert!(
        found.iter().any(|finding| finding.code == "base_obligation"),
        "{found:#?}"
    );
}
