//! The shipped packs compile, alone and together, and their cases hold.

use crate::support::{base_set, compile, file, full_set, with_house};
use model::core::act::{Act, actions};
use model::core::enums::{self, Category, Criticality, Kind, Level, Role, State, Touch};
use model::policy::facts::{FieldFact, Part};
use model::risk::regimes;
use policy::{check_cases, run_cases};
use std::collections::BTreeSet;

#[test]
fn the_base_cases_hold_and_make_every_policy_decide() {
    let report = check_cases(&base_set(), &policy::base().cases).unwrap();
    assert!(report.passed >= 40, "{report:?}");
    assert!(report.never_deciding.is_empty());
}

#[test]
fn each_pack_holds_with_the_base() {
    for pack in policy::packs() {
        let mut files = policy::base().files;
        files.extend(pack.files.clone());
        let set = compile(&files, "").unwrap_or_else(|findings| panic!("{}: {findings:#?}", pack.name));
        let mut cases = policy::base().cases;
        cases.extend(pack.cases.clone());
        // As in an activation: further requirements of the pack contradict no case of the base.
        check_cases(&set, &cases).unwrap_or_else(|findings| panic!("{}: {findings:#?}", pack.name));
        let own = policy::on_policy_thread(|| run_cases(&set, &pack.cases));
        assert_eq!(own.failed, [], "{}", pack.name);
        let prefix = format!("{}.", pack.name);
        let never: Vec<_> = own.never_deciding.iter().filter(|id| id.starts_with(&prefix)).collect();
        assert!(never.is_empty(), "{never:?}");
    }
}

#[test]
fn all_packs_compile_together() {
    assert!(full_set().sources().count() > 40);
    let mut cases = policy::base().cases;
    cases.extend(policy::packs().into_iter().flat_map(|pack| pack.cases));
    check_cases(&full_set(), &cases).unwrap_or_else(|findings| panic!("{findings:#?}"));
    assert!(policy::pack("sox").is_some() && policy::pack("basel").is_none());
}

#[test]
fn a_failed_case_and_a_silent_policy_refuse_the_set() {
    let set = compile(
        &with_house(
            "@id(\"house.tenant.vendor_audit\")\n@reason(\"Vendors audit.\")\npermit (principal, action == Action::\"audit\", resource)\nwhen { principal.roles.contains(Role::\"vendor\") };",
        ),
        "",
    )
    .unwrap();
    let findings = check_cases(&set, &policy::base().cases).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(
        findings[0].to_string(),
        "house/house.cedar:1: no case tests `house.tenant.vendor_audit` (a case shows what it does: in \
         `house/cases/house.cases`, for example `case it decides`, and indented under it `olga audit yes \
         house.tenant.vendor_audit`)"
    );

    let wrong = file(
        "house/cases/house.cases",
        "given all\n  people vera roles vendor\ncase vendors\n  vera audit no\n  vera set_freeze yes\ncase what is required\n  requires\n    base.require.owner  approval, from tester\n",
    );
    let report = policy::on_policy_thread(|| run_cases(&set, &[wrong]));
    let failed: Vec<String> = report.failed.iter().map(ToString::to_string).collect();
    assert_eq!(report.passed, 0);
    assert!(
        failed.contains(
            &"house/cases/house.cases:4: vendors: `audit` results in yes (house.tenant.vendor_audit), but the case expects no"
                .to_owned()
        )
    );
    assert!(failed.contains(
        &"house/cases/house.cases:5: vendors: `set_freeze` results in no (no policy allows it), but the case expects yes".to_owned()
    ));
    assert!(failed.iter().any(|row| row.contains(
        ":8: what is required: `base.require.owner` requires `approval, from owner, count 1, covers what`, but the case expects `approval, from tester`"
    )));
    assert!(
        failed
            .iter()
            .any(|row| { row.contains("requires `base.require.review` (review), but the case does not expect it") })
    );
    assert!(
        report.never_deciding.contains(&"house.tenant.vendor_audit".to_owned()),
        "a failed case covers nothing"
    );
}

#[test]
fn the_regimes_that_a_slip_is_told_from_are_those_that_policies_can_test() {
    let set = base_set();
    let tested: BTreeSet<&str> = set.regimes().iter().map(String::as_str).collect();
    let told = regimes::REGIMES.into_iter().chain(["other"]).collect();
    assert_eq!(tested, told);
}

#[test]
fn unreadable_cases_are_told_with_their_lines() {
    let set = base_set();
    for (text, line, part) in [
        ("case a\n  service regimes socks\n", 2, "`socks` is none of"),
        ("case a\n  change risk hgih\n", 2, "`hgih` is none of"),
        ("case a\n  change rsik high\n", 2, "did you mean `risk`?"),
        ("case a\n  olga read yes\n", 2, "`olga` is neither a person nor a fact"),
        (
            "given g\n  people olga roles owner\ncase a\n  olga aprove_change yes\n",
            4,
            "did you mean `approve_change`?",
        ),
        (
            "given g\n  people olga roles owner\ncase a\n  olga read maybe\n",
            4,
            "`maybe` is neither `yes` nor `no`",
        ),
        (
            "given g\n  people olga roles owner\ncase a\n  olga read yes base.tenant.raed\n",
            4,
            "did you mean `base.tenant.read`?",
        ),
        (
            "given g\n  people olga roles owner\ncase a\n  olga approve_change as ownr yes\n",
            4,
            "did you mean `owner`?",
        ),
        ("given g\n  people olga rolls owner\n", 2, "is none of `roles …`"),
        (
            "case nothing\n  change risk low\n",
            1,
            "contains nothing that could fail",
        ),
        ("cases\n", 1, "neither `given …` nor `case …`"),
        ("  requires\n", 1, "must be below a `case`"),
        (
            "case a\n  requires\n    base.require.ownr\n",
            3,
            "did you mean `base.require.owner`?",
        ),
    ] {
        let report = run_cases(&set, &[file("x/cases/x.cases", text)]);
        let row = report
            .failed
            .iter()
            .find(|row| row.line == line && row.text.contains(part));
        assert!(row.is_some(), "{text:?}: {:?}", report.failed);
    }
}

#[test]
fn a_parameter_changes_what_is_required_and_the_digest() {
    let mut files = policy::base().files;
    files.extend(policy::pack("sox").unwrap().files);
    let usual = compile(&files, "").unwrap();
    let strict = compile(&files, "sox_owner_approvals = 3\nsox_approval_life = \"7d\"\n").unwrap();
    let target = [crate::support::target("1", "pay", &["SOX"])];
    let explanation = strict.explain(&crate::support::change(), &target);
    let row = explanation
        .policies
        .iter()
        .find(|row| row.source.id == "sox.require.owners")
        .unwrap();
    assert!(
        row.words.contains("count 3") && row.words.contains("valid_for 7d"),
        "{}",
        row.words
    );
    assert!(row.source.text.starts_with("@id(\"sox.require.owners\")") && row.source.text.ends_with(';'));
    assert_eq!((row.source.file.as_str(), row.source.line), ("sox/sox.cedar", 3));
    assert_ne!(usual.digest(), strict.digest());
    let findings = compile(&files, "sox_owner_approvals = 1\n").unwrap_err();
    assert_eq!(
        findings[0].to_string(),
        "parameters:1: `sox_owner_approvals` is below its floor"
    );
}

/// No shipped case pins a value that a tenant may set, or setting the value would refuse the set.
#[test]
fn the_shipped_cases_hold_with_other_values_of_parameters() {
    let values = "evidence_environment = \"lab\"\ncab_quorum = 4\ncab_votes = 3\necab_quorum = 3\necab_votes = 3\n\
        sox_owner_approvals = 3\nsox_approval_life = \"7d\"\npci_approval_life = \"7d\"\noutside_look_within = \"2h\"\nhipaa_permit_life = 15\nhipaa_revocation_age = \"10m\"\n\
        dual_control_factor = \"any\"\nsox_key_factor = \"any\"\n\
        dual_control_groups = \"group:security,group:cab\"\n";
    let mut files = policy::base().files;
    files.extend(policy::packs().into_iter().flat_map(|pack| pack.files));
    let set = compile(&files, values).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let mut cases = policy::base().cases;
    cases.extend(policy::packs().into_iter().flat_map(|pack| pack.cases));
    check_cases(&set, &cases).unwrap_or_else(|findings| panic!("{findings:#?}"));
}

#[test]
fn evidence_of_three_aspects_is_asked_from_the_level_that_a_tenant_sets() {
    let asked = |values: &str, kind, risk| {
        let set = compile(&policy::base().files, values).unwrap_or_else(|findings| panic!("{findings:#?}"));
        check_cases(&set, &policy::base().cases).unwrap_or_else(|findings| panic!("{findings:#?}"));
        let mut facts = crate::support::change();
        (facts.kind, facts.risk) = (kind, risk);
        let target = [crate::support::target("1", "pay", &[])];
        let requirements = policy::on_policy_thread(|| set.require(&facts, &target));
        let rows = requirements
            .obligations
            .iter()
            .map(|row| policy::obligation_text(&row.obligation));
        rows.filter(|words| words.starts_with("evidence")).count()
    };
    for kind in [Kind::Normal, Kind::Emergency] {
        let counts =
            |values: &str| [Level::None, Level::Low, Level::Medium, Level::High].map(|risk| asked(values, kind, risk));
        assert_eq!(counts(""), [1, 1, 3, 3]);
        assert_eq!(counts("thorough_evidence_from = \"high\""), [1, 1, 1, 3]);
        assert_eq!(counts("thorough_evidence_from = \"never\""), [1, 1, 1, 1]);
        assert_eq!(counts("thorough_evidence_from = \"none\""), [3, 3, 3, 3]);
    }
    let wrong = compile(&policy::base().files, "thorough_evidence_from = \"sometimes\"").unwrap_err();
    assert!(wrong[0].text.contains("none, low, medium, high"), "{wrong:#?}");
}

#[test]
fn a_peer_reads_from_the_forecast_and_a_canary_goes_first_from_the_impact_that_a_tenant_sets() {
    let ids = |values: &str, ppm: Option<i64>, impact: Level| {
        let set = compile(&policy::base().files, values).unwrap_or_else(|findings| panic!("{findings:#?}"));
        check_cases(&set, &policy::base().cases).unwrap_or_else(|findings| panic!("{findings:#?}"));
        let mut facts = crate::support::change();
        facts.impact_availability = impact;
        facts.forecast = ppm.map(|ppm| model::policy::facts::ForecastFacts {
            model: "m".to_owned(),
            features_version: 1,
            probability_ppm: Some(ppm),
            low_ppm: ppm,
            high_ppm: ppm,
            moved_ppm: None,
        });
        let target = [crate::support::target("1", "pay", &[])];
        let requirements = policy::on_policy_thread(|| set.require(&facts, &target));
        let rows = requirements.obligations.into_iter().map(|row| row.obligation.id);
        let own = [
            "base.require.peer_review_when_likely_to_fail",
            "base.require.canary",
            "base.require.canary_when_likely_to_fail",
        ];
        let found: Vec<String> = rows.filter(|id| own.contains(&id.as_str())).collect();
        found.len()
    };
    let both = "peer_review_from_probability = \"2%\"\ncanary_from_impact = \"high\"";
    assert_eq!(ids("", Some(99_999), Level::High), 0);
    assert_eq!(ids("", Some(100_000), Level::High), 1);
    assert_eq!(
        ids("", None, Level::High),
        0,
        "without a forecast nothing is asked for it"
    );
    assert_eq!(ids(both, Some(19_999), Level::Medium), 0);
    assert_eq!(ids(both, Some(20_000), Level::Medium), 1);
    assert_eq!(ids(both, Some(20_000), Level::High), 2);
    assert_eq!(ids("", Some(999_999), Level::Low), 1, "a peer, and no small part first");
    let small = "canary_from_probability = \"15%\"";
    assert_eq!(ids(small, Some(149_999), Level::Low), 1);
    assert_eq!(ids(small, Some(150_000), Level::Low), 2);
    for (value, told) in [
        ("0.4%", "below its floor"),
        ("20.1%", "above its ceiling"),
        ("2", "not a percentage"),
        ("2.00001%", "not a percentage"),
    ] {
        let wrong = compile(
            &policy::base().files,
            &format!("peer_review_from_probability = \"{value}\""),
        )
        .unwrap_err();
        assert!(wrong[0].text.contains(told), "{wrong:#?}");
    }
    let set = compile(&policy::base().files, both).unwrap();
    let shown: Vec<(&str, &str, &str)> = set
        .parameters()
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str(), it.default.as_str()))
        .collect();
    assert!(
        shown.contains(&("peer_review_from_probability", "2%", "10%")),
        "{shown:?}"
    );
    let from: Vec<i64> = set.thresholds().iter().map(|it| it.from).collect();
    assert_eq!(
        from,
        [4, 2, 3, 1_000_000, 20_000, 250_000],
        "risk (twice), impact and probability (three times)"
    );
}

#[test]
fn an_unknown_forecast_counts_as_the_cautious_case_and_lowers_nothing() {
    let facts = |told: Option<(Option<i64>, i64, i64)>, risk: Level| {
        let mut facts = crate::support::change();
        facts.risk = risk;
        facts.forecast = told.map(|(ppm, low, high)| model::policy::facts::ForecastFacts {
            model: "m".to_owned(),
            features_version: 1,
            probability_ppm: ppm,
            low_ppm: low,
            high_ppm: high,
            moved_ppm: None,
        });
        facts
    };
    let target = [crate::support::target("1", "pay", &[])];
    let asks = |set: &policy::PolicySet, facts: &model::policy::facts::ChangeFacts, id: &str| {
        let requirements = policy::on_policy_thread(|| set.require(facts, &target));
        let mut rows = requirements.obligations.iter();
        assert_eq!(requirements.stop, None);
        rows.any(|row| row.obligation.id == id)
    };
    let rule = "base.require.peer_review_when_unknown";
    let unknown = Some((None, 0, 600_000));
    let usual = compile(&policy::base().files, "").unwrap();
    assert!(!asks(&usual, &facts(unknown, Level::Medium), rule));
    let careful = compile(&policy::base().files, "peer_review_when_unknown_from = \"medium\"").unwrap();
    for (told, risk, is_asked) in [
        (unknown, Level::Low, false),
        (unknown, Level::Medium, true),
        (unknown, Level::High, true),
        (Some((Some(1_000), 500, 2_000)), Level::High, false),
        (None, Level::High, false),
    ] {
        assert_eq!(asks(&careful, &facts(told, risk), rule), is_asked, "{told:?} {risk}");
    }

    // A tenant's rule with a high bound: no approval is required where few such changes fail.
    let mut files = policy::base().files;
    files.push(file(
        "house/house.cedar",
        "@id(\"house.require.rehearsal\") @reason(\"Rehearsed.\") @require(\"task\") @kind(\"test\") @title(\"Rehearse it\")
        permit (principal, action == Action::\"require\", resource) when { resource.probability_of_failure >= 100000 };
        @id(\"house.require.watch\") @reason(\"Watched.\") @require(\"task\") @kind(\"test\") @title(\"Watch it\")
        permit (principal, action == Action::\"require\", resource) when { resource.probability_high >= 500000 };",
    ));
    let set = compile(&files, "").unwrap_or_else(|findings| panic!("{findings:#?}"));
    for (told, is_asked) in [
        (unknown, true),
        (Some((None, 0, 90_000)), false),
        (Some((Some(1_000), 500, 2_000)), false),
        (None, false),
    ] {
        let facts = facts(told, Level::Low);
        assert_eq!(asks(&set, &facts, "house.require.rehearsal"), is_asked, "{told:?}");
        assert_eq!(asks(&set, &facts, "house.require.watch"), is_asked, "{told:?}");
    }
}

#[test]
fn a_policy_reads_a_declared_field_by_its_kind() {
    let mut files = policy::base().files;
    files.push(file(
        "house/house.cedar",
        "@id(\"house.require.gold\") @reason(\"Gold.\") @require(\"task\") @kind(\"test\") @title(\"Rehearse it\")
        permit (principal, action == Action::\"require\", resource) when {
          resource.words.hasTag(\"tier\") && resource.words.getTag(\"tier\") == \"gold\" &&
          resource.numbers.hasTag(\"parcels\") && resource.numbers.getTag(\"parcels\") > 10
        };",
    ));
    let set = compile(&files, "").unwrap_or_else(|findings| panic!("{findings:#?}"));
    let keys: Vec<&str> = set.fields().map(|(key, _)| key).collect();
    assert_eq!(keys, ["tier", "tier", "parcels", "parcels"]);
    let asks = |fields: &[(&str, FieldFact)]| {
        let mut facts = crate::support::change();
        facts.fields = fields
            .iter()
            .map(|(key, fact)| ((*key).to_owned(), fact.clone()))
            .collect();
        let requirements = policy::on_policy_thread(|| set.require(&facts, &[crate::support::target("1", "pay", &[])]));
        assert_eq!(requirements.stop, None);
        requirements
            .obligations
            .iter()
            .any(|row| row.obligation.id == "house.require.gold")
    };
    let word = |text: &str| FieldFact::Word(text.to_owned());
    assert!(asks(&[("tier", word("gold")), ("parcels", FieldFact::Number(11))]));
    assert!(!asks(&[("tier", word("gold")), ("parcels", FieldFact::Number(10))]));
    assert!(
        !asks(&[("tier", FieldFact::Number(11)), ("parcels", word("gold"))]),
        "a number is no word"
    );
    assert!(!asks(&[]));
    let unguarded = "@id(\"house.require.x\") @reason(\"X.\") @require(\"review\")
        permit (principal, action == Action::\"require\", resource) when { resource.words.getTag(\"tier\") == \"gold\" };";
    files.push(file("house/unguarded.cedar", unguarded));
    assert!(
        compile(&files, "").is_err(),
        "a field that may be missing is asked for first"
    );
}

#[test]
fn the_defaults_of_parameters_are_these() {
    let set = full_set();
    let mut words = Vec::new();
    for (kind, regime) in [
        (Kind::Normal, "sox"),
        (Kind::Normal, "pci_dss"),
        (Kind::Emergency, "sox"),
    ] {
        let mut facts = crate::support::change();
        (facts.kind, facts.risk) = (kind, Level::High);
        let target = [crate::support::target("1", "pay", &[regime])];
        let requirements = policy::on_policy_thread(|| set.require(&facts, &target));
        let rows = requirements.obligations.iter();
        words.extend(rows.map(|row| format!("{}: {}", row.obligation.id, policy::obligation_text(&row.obligation))));
    }
    for expected in [
        "cab.require.board: approval, from group:cab, count 2, covers what_and_when, distinct_from author+requester+implementer, quorum 3",
        "cab.require.emergency_board: approval, from group:ecab, count 2, covers what, quorum 2, on_call",
        "pci.require.trained_owner: approval, from owner, count 1, covers what, distinct_from author+requester+implementer, valid_for 30d, training pci_dss",
        "sox.require.owners: approval, from owner, count 2, covers what, distinct_from author+requester+implementer, valid_for 30d, step_up",
        "small-team.require.outside_look: outside_look, from outside, within 8d",
        "base.require.evidence: evidence, aspect functional, environment staging, due start",
    ] {
        assert!(words.iter().any(|row| row == expected), "{expected}\n{words:#?}");
    }
}

#[test]
fn a_fresh_factor_is_any_or_a_second_one_and_a_slip_is_told_by_its_line() {
    let words = |value: &str, parameters: &str| {
        let rule = format!(
            "@id(\"house.require.fresh\")\n@reason(\"A fresh one.\")\n@require(\"approval\")\n@from(\"owner\")\n\
             @covers(\"what\")\n@step_up{value}\npermit (principal, action == Action::\"require\", resource);"
        );
        let mut files = with_house(&rule);
        files.extend(policy::pack("dual-control").unwrap().files);
        let set = compile(&files, parameters).map_err(|findings| {
            let found = findings.iter().find(|it| it.file.starts_with("house/")).unwrap();
            (
                found.line,
                format!("{} {}", found.text, found.help.clone().unwrap_or_default()),
            )
        })?;
        let mut facts = crate::support::change();
        facts.touches = vec![enums::Touch::CryptoKeys];
        let requirements = policy::on_policy_thread(|| set.require(&facts, &[crate::support::target("1", "pay", &[])]));
        let told = |id: &str| {
            let row = requirements
                .obligations
                .iter()
                .find(|row| row.obligation.id == id)
                .unwrap();
            let told = policy::obligation_text(&row.obligation);
            let at = told.find("step_up").unwrap();
            told[at..].split(',').next().unwrap().to_owned()
        };
        Ok((
            told("house.require.fresh"),
            told("dual-control.require.two_of_security"),
        ))
    };
    let both = |own: &str, pack: &str| Ok::<_, (u32, String)>((own.to_owned(), pack.to_owned()));
    let (any, second) = ("step_up", "step_up second_factor");
    assert_eq!(
        words("", ""),
        both(any, second),
        "the pack asks for a second factor unless said otherwise"
    );
    assert_eq!(words("(\"any\")", "dual_control_factor = \"any\""), both(any, any));
    assert_eq!(words("(\"second_factor\")", ""), both(second, second));
    assert_eq!(words("(\"$dual_control_factor\")", ""), both(second, second));
    let (line, text) = words("(\"second_facto\")", "").unwrap_err();
    assert_eq!(line, 6, "{text}");
    assert!(
        text.contains("`second_facto` is none of any, second_factor")
            && text.contains("write `@step_up` for any fresh factor, or `@step_up(\"second_factor\")`")
            && text.contains("did you mean `second_factor`?"),
        "{text}"
    );
    let (_, text) = words("(\"$no_such\")", "").unwrap_err();
    assert!(text.contains("there is no parameter `$no_such`"), "{text}");
}

#[test]
fn the_pack_of_dual_control_asks_the_groups_that_the_house_names() {
    let asked = |parameters: &str| {
        let mut files = policy::base().files;
        files.extend(policy::pack("dual-control").unwrap().files);
        let set = compile(&files, parameters).map_err(|findings| findings[0].text.clone())?;
        let mut facts = crate::support::change();
        facts.touches = vec![enums::Touch::CryptoKeys];
        let target = [crate::support::target("1", "pay", &[])];
        let requirements = policy::on_policy_thread(|| set.require(&facts, &target));
        let mut rows = requirements.obligations.iter();
        let row = rows.find(|row| row.obligation.id == "dual-control.require.two_of_security");
        Ok::<_, String>(policy::obligation_text(&row.unwrap().obligation))
    };
    let (one, two) = (
        asked("").unwrap(),
        asked("dual_control_groups = \"group:security,group:cab\"").unwrap(),
    );
    assert!(
        one.starts_with("approval, from group:security, count 2, covers what, ") && !one.contains("distinct_groups"),
        "{one}"
    );
    assert!(
        two.starts_with("approval, from group:security+group:cab, count 2, covers what, ")
            && two.contains(", distinct_groups,"),
        "{two}"
    );
    let slip = asked("dual_control_groups = \"security\"").unwrap_err();
    assert!(slip.contains("`security` is no `group:` and a group's key"), "{slip}");
    let slip = asked("dual_control_groups = \"owner\"").unwrap_err();
    assert!(slip.contains("`owner` is no `group:` and a group's key"), "{slip}");
    assert!(
        asked("dual_control_groups = \"group:cab,group:ca\"").is_err(),
        "a group that is not there"
    );
}

#[test]
fn distinct_groups_are_told_as_cases_write_them() {
    let rule = "@id(\"house.require.two_groups\")\n@reason(\"One of each.\")\n@require(\"approval\")\n\
        @from(\"group:security, group:cab\")\n@count(\"2\")\n@distinct_groups\n@covers(\"what\")\n@dual_control\n\
        permit (principal, action == Action::\"require\", resource);";
    let set = compile(&with_house(rule), "").unwrap();
    let requirements =
        policy::on_policy_thread(|| set.require(&crate::support::change(), &[crate::support::target("1", "pay", &[])]));
    let row = requirements
        .obligations
        .iter()
        .find(|row| row.obligation.id == "house.require.two_groups")
        .unwrap();
    assert_eq!(
        policy::obligation_text(&row.obligation),
        "approval, from group:security+group:cab, count 2, covers what, distinct_groups, dual_control"
    );
}

#[test]
fn the_digest_knows_schema_files_and_order() {
    let files = policy::base().files;
    let mut turned = files.clone();
    turned.reverse();
    assert_eq!(
        compile(&files, "").unwrap().digest(),
        compile(&turned, "").unwrap().digest()
    );
    let mut other = files.clone();
    other[0].text.push_str("\n// a remark\n");
    assert_ne!(
        compile(&files, "").unwrap().digest(),
        compile(&other, "").unwrap().digest()
    );
}

/// The values of an enum in the schema's text.
fn enum_words(name: &str) -> BTreeSet<String> {
    let start = policy::SCHEMA.find(&format!("entity {name} enum [")).unwrap();
    let body = &policy::SCHEMA[start..];
    let body = &body[body.find('[').unwrap() + 1..body.find(']').unwrap()];
    body.split(',')
        .map(|word| word.trim().trim_matches('"').to_owned())
        .collect()
}

#[test]
fn the_schema_has_the_models_words() {
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    macro_rules! same {
        ($($name:literal = $words:ty),+) => {$(
            let all: Vec<&str> = <$words>::ALL.iter().map(|word| word.as_str()).collect();
            assert_eq!(enum_words($name), words(&all), $name);
        )+};
    }
    same!(
        "Kind" = Kind,
        "State" = State,
        "Level" = Level,
        "Category" = Category,
        "Touch" = Touch,
        "Role" = Role
    );
    same!("Criticality" = Criticality);
    let parts: BTreeSet<String> = [
        Part::Requester,
        Part::Owner,
        Part::Author,
        Part::Implementer,
        Part::Implemented,
        Part::Tester,
        Part::Asked,
        Part::Approver,
        Part::Peer,
        Part::VerbalApprover,
        Part::Checker,
        Part::Holder,
    ]
    .iter()
    .map(|part| serde_json::to_value(part).unwrap().as_str().unwrap().to_owned())
    .collect();
    assert_eq!(enum_words("Part"), parts);
}

#[test]
fn the_schema_has_the_models_actions() {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(policy::SCHEMA).unwrap();
    let known: BTreeSet<String> = schema
        .actions()
        .map(|action| action.id().unescaped().to_owned())
        .collect();
    let acts = Act::ALL.iter().map(|act| act.as_str());
    let expected: BTreeSet<String> = acts
        .chain(actions::ALL.iter().copied())
        .chain(["require"])
        .map(str::to_owned)
        .collect();
    assert_eq!(known, expected);
}
