//! Notes that others published, our own round trips, and refusals.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

const ORIGIN: &str = "assent.example/t/acme/log";

/// A note and key from the documentation of Go's `golang.org/x/mod/sumdb/note`.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_seed([seed; 32]).unwrap()).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.into(),
        size: 42,
        root: [9; 32],
    }
}

fn keys(all: &[VerifierKey]) -> VerifierKeys {
    VerifierKeys(all.to_vec())
}

#[test]
fn a_published_note_verifies_under_its_published_key() {
    let key = VerifierKey::parse(GO_KEY).unwrap();
    assert_eq!((key.name(), key.kind()), ("PeterNeumann", KeyKind::Ed25519));
    assert_eq!(hex::encode(key.id()), "c74f20a3");
    assert_eq!(key.to_text(), GO_KEY);
    let note = Note::parse(GO_NOTE).unwrap();
    assert_eq!(note.to_text(), GO_NOTE);
    assert_eq!(note.verify(&keys(&[key])).unwrap().len(), 1);
}

#[test]
fn the_published_checkpoint_reads_as_its_specification_says() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let note = format!(
        "{text}\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    );
    let parsed = Note::parse(&note).unwrap();
    assert_eq!(parsed.to_text(), note);
    assert_eq!(parsed.signatures[1].bytes.len(), 72);
    assert_eq!(parsed.signatures[1].bytes[..8], 1_679_315_147_u64.to_be_bytes());
    let checkpoint = Checkpoint::parse(&parsed.text).unwrap();
    assert_eq!(
        (checkpoint.origin.as_str(), checkpoint.size),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert_eq!(checkpoint.to_text(), text);
}

#[test]
fn a_signed_and_cosigned_checkpoint_opens() {
    let (log, witness) = (signer(ORIGIN, 1), signer("witness.example/w", 2));
    let mut note = checkpoint().sign(&log);
    note.signatures.push(witness.cosign(&note.text, 1_800_000_000));
    let all = keys(&[log.verifier(KeyKind::Ed25519), witness.verifier(KeyKind::Cosigner)]);
    let again = VerifierKeys::parse(&all.to_text()).unwrap();
    assert_eq!(again, all);
    let open = open_checkpoint(&note.to_text(), &all, Some(ORIGIN)).unwrap();
    assert_eq!(open.checkpoint, checkpoint());
    assert_eq!(open.cosigned, [("witness.example/w".to_owned(), 1_800_000_000)]);
}

#[test]
fn a_checkpoint_is_refused_for_the_right_reason() {
    let (log, witness, other) = (
        signer(ORIGIN, 1),
        signer("witness.example/w", 2),
        signer("other.example", 3),
    );
    let note = checkpoint().sign(&log);
    let text = note.to_text();
    let log_key = log.verifier(KeyKind::Ed25519);
    let open =
        |note: &str, key: &VerifierKey| open_checkpoint(note, &keys(std::slice::from_ref(key)), None).unwrap_err();
    assert_eq!(
        open(&text, &signer(ORIGIN, 4).verifier(KeyKind::Ed25519)),
        Untrusted::NoKnownKey
    );
    assert_eq!(
        open(&text.replace("\n42\n", "\n43\n"), &log_key),
        Untrusted::WrongSignature(ORIGIN.into())
    );
    let by_other = checkpoint().sign(&other).to_text();
    assert_eq!(
        open(&by_other, &other.verifier(KeyKind::Ed25519)),
        Untrusted::NotByTheLog(ORIGIN.into())
    );
    let wrong = open_checkpoint(&text, &keys(std::slice::from_ref(&log_key)), Some("another.example")).unwrap_err();
    assert_eq!(wrong, Untrusted::OtherLog(ORIGIN.into()));

    let mut only_cosigned = note.clone();
    only_cosigned.signatures = vec![witness.cosign(&note.text, 5)];
    let witness_key = witness.verifier(KeyKind::Cosigner);
    assert_eq!(
        open(&only_cosigned.to_text(), &witness_key),
        Untrusted::NotByTheLog(ORIGIN.into())
    );
    let mut later = only_cosigned.clone();
    later.signatures[0].bytes[7] = 6;
    assert_eq!(
        open(&later.to_text(), &witness_key),
        Untrusted::WrongSignature("witness.example/w".into())
    );
    let mut short = only_cosigned;
    short.signatures[0].bytes.truncate(7);
    assert_eq!(
        open(&short.to_text(), &witness_key),
        Untrusted::WrongSignature("witness.example/w".into())
    );
}

#[test]
fn malformed_notes_are_refused() {
    let good = checkpoint().sign(&signer(ORIGIN, 1)).to_text();
    let wrong = [
        String::new(),
        "text\n".into(),
        good.replace("\n\n", "\n"),
        good.trim_end().into(),
        good.replace('\u{2014}', "-"),
        good.replace("\u{2014} ", "\u{2014}  "),
        good.replace(ORIGIN, "with\ttab"),
        good.replace("=\n", "\n"),
        format!("{good}\n"),
        format!("{good}\u{2014} a+b AAAAAAA=\n"),
        format!("{good}\u{2014} ab AAAA\n"),
        format!("{good}{}", "\u{2014} ab AAAAAAA=\n".repeat(MAX_SIGNATURES)),
        "x".repeat(MAX_NOTE_BYTES + 1),
    ];
    for text in wrong {
        assert!(Note::parse(&text).is_err(), "accepted {text:.200}");
    }
    let bodies = [
        "a\n1\n",
        "\n1\nAAAA\n",
        "a\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n-1\nx\n",
        "a\n1\nAAAA\n",
        "a\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
    ];
    for body in bodies {
        assert!(Checkpoint::parse(body).is_err(), "accepted {body:?}");
    }
}

#[test]
fn malformed_keys_are_refused() {
    let wrong = [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &GO_KEY.replace("c74f20a3", "c74f20a4"),
        &GO_KEY.replace("c74f20a3", "C74F20A3"),
        &GO_KEY.replace("+AR", "+Ag"),
        &GO_KEY[1..],
        &GO_KEY[..GO_KEY.len() - 4],
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ];
    for text in wrong {
        assert!(VerifierKey::parse(text).is_err(), "accepted {text}");
    }
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb"] {
        assert!(VerifierKey::new(name, KeyKind::Ed25519, [0; 32]).is_err(), "{name:?}");
    }
    assert!(VerifierKeys::parse("\n \n").is_err());
}
