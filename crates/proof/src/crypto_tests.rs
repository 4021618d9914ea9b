//! Known values from FIPS 180-4, RFC 8032 and RFC 4231, and the sealing of secrets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

fn bytes32(hex_text: &str) -> [u8; 32] {
    hex::decode(hex_text).unwrap().try_into().unwrap()
}

#[test]
fn sha256_of_abc_is_the_published_value() {
    let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest_text(b"abc"), expected);
    assert_eq!(hash_text(&sha256_parts(&[b"a", b"", b"bc"])), expected);
    assert!(is_digest_text(expected));
    assert!(!is_digest_text(&expected.to_uppercase()));
    assert!(!is_digest_text(&expected[..70]));
}

#[test]
fn ed25519_gives_the_signature_of_rfc_8032_test_2() {
    let key = SigningKey::from_seed(bytes32(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    ))
    .unwrap();
    assert_eq!(
        hex::encode(key.public()),
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    );
    let signature = key.sign(&[0x72]);
    assert_eq!(
        hex::encode(signature),
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    );
    assert!(verify_ed25519(key.public(), &[0x72], &signature));
    assert!(!verify_ed25519(key.public(), &[0x73], &signature));
    assert!(!verify_ed25519(key.public(), &[0x72], &signature[..63]));
}

#[test]
fn hmac_gives_the_tag_of_rfc_4231_case_2() {
    let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(
        hex::encode(tag),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert!(verify_hmac_sha256(b"Jefe", b"what do ya want for nothing?", &tag));
    assert!(!verify_hmac_sha256(b"Jeff", b"what do ya want for nothing?", &tag));
    assert!(!verify_hmac_sha256(
        b"Jefe",
        b"what do ya want for nothing?",
        &tag[..16]
    ));
}

#[test]
fn secrets_compare_by_content() {
    assert!(is_same_secret(b"one", b"one"));
    assert!(!is_same_secret(b"one", b"two"));
    assert!(!is_same_secret(b"one", b"onee"));
}

#[test]
fn a_sealed_secret_opens_only_with_its_key_and_its_associated_data() {
    let entropy = SeededEntropy::new(1);
    let master = MasterKey::new([7; 32]);
    let sealed = master.seal(b"a seed", b"acme/permit", &entropy).unwrap();
    assert_eq!(sealed.len(), 12 + 6 + 16);
    let opened = master.open(&sealed, b"acme/permit").unwrap();
    assert_eq!(opened.as_slice(), b"a seed");
    assert!(master.open(&sealed, b"other/permit").is_err());
    assert!(MasterKey::new([8; 32]).open(&sealed, b"acme/permit").is_err());
    assert!(master.open(&sealed[..11], b"acme/permit").is_err());
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(master.open(&changed, b"acme/permit").is_err(), "byte {index}");
    }
    let again = master.seal(b"a seed", b"acme/permit", &entropy).unwrap();
    assert_ne!(sealed, again, "a nonce was used twice");
}

#[test]
fn a_code_holds_for_its_key_its_purpose_and_its_parts_alone() {
    let master = MasterKey::new([7; 32]);
    let mac = master.mac("event", &[b"acme", b"leaf"]);
    assert!(master.verify_mac("event", &[b"acme", b"leaf"], &mac));
    assert!(!master.verify_mac("session", &[b"acme", b"leaf"], &mac));
    assert!(!MasterKey::new([8; 32]).verify_mac("event", &[b"acme", b"leaf"], &mac));
    assert!(!master.verify_mac("event", &[b"acme", b"leaf"], &mac[..31]));
    assert!(!master.verify_mac("event", &[b"acme", b"leaf"], b""));
    for other in [
        &[b"acmel".as_slice(), b"eaf"] as &[&[u8]],
        &[b"acmeleaf"],
        &[b"leaf", b"acme"],
        &[],
    ] {
        assert!(!master.verify_mac("event", other, &mac), "{other:?}");
    }
}

#[test]
fn a_master_key_travels_as_base64_and_shows_nothing() {
    let master = MasterKey::new([7; 32]);
    let again = MasterKey::from_base64(&master.to_base64()).unwrap();
    assert_eq!(master.fingerprint(), again.fingerprint());
    assert_ne!(master.fingerprint(), MasterKey::new([8; 32]).fingerprint());
    assert!(MasterKey::from_base64("AAAA").is_err());
    assert!(MasterKey::from_base64("not base64").is_err());
    assert_eq!(format!("{master:?}"), "MasterKey(..)");
    let key = SigningKey::from_seed([7; 32]).unwrap();
    assert!(!format!("{key:?}").contains(&hex::encode([7; 32])));
}

#[test]
fn system_entropy_differs_and_seeded_entropy_repeats() {
    let (mut a, mut b) = ([0; 40], [0; 40]);
    SystemEntropy::new().fill(&mut a).unwrap();
    SystemEntropy::new().fill(&mut b).unwrap();
    assert_ne!(a, b);
    SeededEntropy::new(3).fill(&mut a).unwrap();
    SeededEntropy::new(3).fill(&mut b).unwrap();
    assert_eq!(a, b);
}

#[test]
fn base64_has_one_spelling() {
    assert_eq!(from_base64url("AQ"), Some(vec![1]));
    for wrong in ["AQ==", "AR", "A", "A+/_", "AQ\n", " AQ"] {
        assert_eq!(from_base64url(wrong), None, "{wrong:?}");
    }
    assert_eq!(from_base64_standard("AQ=="), Some(vec![1]));
    for wrong in ["AQ", "AR==", "AQ=", "_w==", "AQ==\n"] {
        assert_eq!(from_base64_standard(wrong), None, "{wrong:?}");
    }
}
