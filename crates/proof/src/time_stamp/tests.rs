//! Responses of `openssl ts` 3.0 to one request, under two authorities: one on P-256 that names its certificate by SHA-256, one
//! with RSA that names it by SHA-1.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use super::*;

const NONCE: [u8; 8] = [0x41, 2, 3, 4, 5, 6, 7, 8];
const EC: &str = include_str!("fixtures/ec.tsr.txt");
const EC_CA: &str = include_str!("fixtures/ec-ca.pem");
const EC_SIGNER: &str = include_str!("fixtures/ec-signer.pem");
const RSA: &str = include_str!("fixtures/rsa.tsr.txt");
const RSA_CA: &str = include_str!("fixtures/rsa-ca.pem");

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: "log.example/a".to_owned(),
        size: 7,
        root: [3; 32],
    }
}

fn bytes(text: &str) -> Vec<u8> {
    crypto::from_base64_standard(&text.split_whitespace().collect::<String>()).unwrap()
}

fn opened(answer: &[u8], anchors: &str) -> Result<Stamped, Wrong> {
    let anchors = Anchors::parse(anchors).unwrap();
    open_answer(answer, &imprint_of(&checkpoint()), NONCE, &anchors).map(|(_, stamped)| stamped)
}

#[test]
fn the_request_is_the_one_that_openssl_reads() {
    let request = request(&imprint_of(&checkpoint()), NONCE).unwrap();
    let expected = "30430201013031300d0609608648016503040201050004200fe9bfdbbcba87ea544ff90f033fb8a1f1ebed5bb1ede45471826147398a37ce\
                    020841020304050607080101ff";
    assert_eq!(hex::encode(request), expected);
}

#[test]
fn answers_of_openssl_are_good_under_their_authority_and_under_no_other() {
    let stamped = opened(&bytes(EC), EC_CA).unwrap();
    assert_eq!((stamped.time, stamped.policy.as_str()), (1_795_883_753, "1.2.3.4.1"));
    assert_eq!(stamped.signer, "CN=Time Stamps ec");
    assert_eq!(
        opened(&bytes(EC), EC_SIGNER).unwrap(),
        stamped,
        "the signer itself may be an anchor"
    );
    assert_eq!(opened(&bytes(RSA), RSA_CA).unwrap().signer, "CN=Time Stamps rsa");
    assert_eq!(opened(&bytes(EC), RSA_CA), Err(Wrong::UnknownSigner));
    assert_eq!(opened(&bytes(RSA), EC_CA), Err(Wrong::UnknownSigner));
}

#[test]
fn another_imprint_and_another_nonce_are_found() {
    let anchors = Anchors::parse(EC_CA).unwrap();
    let other = Checkpoint {
        size: 8,
        ..checkpoint()
    };
    let found = open_answer(&bytes(EC), &imprint_of(&other), NONCE, &anchors);
    assert_eq!(found.unwrap_err(), Wrong::OtherImprint);
    let found = open_answer(&bytes(EC), &imprint_of(&checkpoint()), [1; 8], &anchors);
    assert_eq!(found.unwrap_err(), Wrong::OtherNonce);
}

#[test]
fn no_flipped_byte_of_an_answer_goes_unnoticed_where_it_matters() {
    let whole = bytes(EC);
    let good = opened(&whole, EC_CA).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x04;
        // The unsigned parts (names beside the signature) may differ; the content may not.
        if let Ok(found) = opened(&changed, EC_CA) {
            assert_eq!((found.time, &found.policy), (good.time, &good.policy), "byte {at}");
        }
    }
    for cut in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        assert!(
            matches!(opened(&whole[..cut], EC_CA), Err(Wrong::Malformed(_))),
            "{cut}"
        );
    }
}

#[test]
fn what_the_authority_does_not_grant_is_refused_with_its_status() {
    // TimeStampResp { PKIStatusInfo { status 2 } }
    assert_eq!(opened(&[0x30, 5, 0x30, 3, 2, 1, 2], EC_CA), Err(Wrong::Refused(2)));
    let granted_without_token = [0x30, 5, 0x30, 3, 2, 1, 0];
    assert!(matches!(
        opened(&granted_without_token, EC_CA),
        Err(Wrong::Malformed(_))
    ));
}

#[test]
fn certificates_are_read_strictly() {
    assert_eq!(Anchors::parse(EC_CA).unwrap().subject(), "CN=Time CA ec");
    assert_eq!(Anchors::parse(&format!("{EC_CA}\n{RSA_CA}")).unwrap().0.len(), 2);
    let around = format!("of Jane\n{EC_CA}and more");
    assert_eq!(
        Anchors::parse(&around).unwrap().to_pem(),
        EC_CA,
        "what stands around is left out"
    );
    for bad in [
        "",
        "no certificate",
        &EC_CA.replacen("MII", "MIJ", 1),
        &EC_CA.replace("END", "FIN"),
    ] {
        assert!(Anchors::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_kept_stamp_is_of_the_log_or_is_found() {
    let anchors = Anchors::parse(EC_CA).unwrap();
    let (token, _) = open_answer(&bytes(EC), &imprint_of(&checkpoint()), NONCE, &anchors).unwrap();
    let kept = KeptStamp {
        size: 7,
        root: hex::encode([3; 32]),
        consistency: Vec::new(),
        token: crypto::base64_standard(&token),
        certificates: EC_CA.to_owned(),
    };
    let check = |kept: &KeptStamp, of: &Checkpoint, anchors: Option<&Anchors>| {
        let mut report = Report::default();
        kept.check(of, anchors, &mut report);
        report
    };
    let good = check(&kept, &checkpoint(), None);
    assert!(
        good.has("time_stamped") && good.has("own_authority_trusted"),
        "{good:?}"
    );
    assert!(!check(&kept, &checkpoint(), Some(&anchors)).has("own_authority_trusted"));
    let other = Anchors::parse(RSA_CA).unwrap();
    assert!(check(&kept, &checkpoint(), Some(&other)).has("time_stamp_unknown_signer"));
    let forked = Checkpoint {
        root: [4; 32],
        ..checkpoint()
    };
    assert!(check(&kept, &forked, None).has("time_stamp_other_log"));
    let later = Checkpoint {
        size: 9,
        ..checkpoint()
    };
    assert!(check(&kept, &later, None).has("time_stamp_other_log"));
    let renamed = Checkpoint {
        origin: "log.example/b".to_owned(),
        ..checkpoint()
    };
    assert!(check(&kept, &renamed, None).has("time_stamp_other_imprint"));
}
