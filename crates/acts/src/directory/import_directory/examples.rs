//! Examples of good lines of an import.

use model::core::enums::Noun;

/// The error of a line, with an example of a good one.
pub fn with_example(noun: Noun, text: &str) -> String {
    let example = match noun {
        Noun::People => "login=olga, name=Olga Berg, roles=owner, zone=Europe/Oslo",
        Noun::Groups => "key=payments, name=Payments, kind=team, members=olga;tom",
        Noun::Services => "key=shop, name=Shop, criticality=high, regimes=sox, team=Web",
        Noun::Environments => "key=production, name=Production, is_production=true",
        Noun::ConfigItems => "key=orders-db, service=shop, kind=database",
        Noun::Dependencies => "from=shop, to=ledger, kind=depends_on",
        Noun::Ownerships => {
            "service=shop, role=owner, group=payments, since=2026-01-01T00:00:00Z, ends_at=2027-01-01T00:00:00Z"
        }
    };
    format!("{text} Example: {example}.")
}
