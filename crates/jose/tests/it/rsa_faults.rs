//! Tokens under RSA1_5 that are broken in ten ways, each in the place where an oracle would look (RFC 7516 section 11.5).

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use jose::{PrivateJwk, Random, base64url};

pub(crate) const FAULTS: [&str; 10] = [
    "first octet is not 0",
    "block type 1",
    "0 among the first 8 octets of padding",
    "no end of padding",
    "key an octet short",
    "key an octet long",
    "key empty",
    "another key",
    "tag touched",
    "ciphertext touched",
];

const CEK_OCTETS: usize = 16;

/// A token with the fault of that number, made by hand; with none if there is no such fault.
pub(crate) fn broken(fault: usize, jwk: &PrivateJwk, random: &mut dyn Random) -> String {
    let (mut cek, mut iv, mut text) = ([0; CEK_OCTETS], [0; 12], b"what is encrypted".to_vec());
    random.fill(&mut cek).unwrap();
    random.fill(&mut iv).unwrap();
    let header = base64url::encode(br#"{"alg":"RSA1_5","enc":"A128GCM"}"#);
    let modulus = modulus(jwk);
    let key = encrypted(&padded(fault, &cek, modulus.len(), random), &modulus);
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &cek).unwrap());
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = cipher.seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text).unwrap();
    let mut tag = tag.as_ref().to_vec();
    match fault {
        8 => tag[0] ^= 1,
        9 => text[0] ^= 1,
        _ => {}
    }
    let parts = [&key[..], &iv, &text, &tag].map(base64url::encode);
    format!("{header}.{}", parts.join("."))
}

fn modulus(jwk: &PrivateJwk) -> Vec<u8> {
    let public = jwk.public().unwrap().to_json();
    let n = public.split_once(r#""n":""#).unwrap().1.split_once('"').unwrap().0;
    base64url::decode(n).unwrap()
}

/// 0, 2, padding without a 0, 0, key (RFC 8017 section 7.2.1), and what is wrong with it.
fn padded(fault: usize, cek: &[u8], octets: usize, random: &mut dyn Random) -> Vec<u8> {
    let mut block = vec![0; octets];
    random.fill(&mut block).unwrap();
    block.iter_mut().for_each(|octet| *octet = (*octet).max(1));
    let key_octets = match fault {
        4 => CEK_OCTETS - 1,
        5 => CEK_OCTETS + 1,
        6 => 0,
        _ => CEK_OCTETS,
    };
    let end = octets - key_octets - 1;
    (block[0], block[1], block[end]) = (0, 2, 0);
    if key_octets == CEK_OCTETS && fault != 7 {
        block[end + 1..].copy_from_slice(cek);
    }
    match fault {
        0 => block[0] = 1,
        1 => block[1] = 1,
        2 => block[5] = 0,
        // A key may hold a 0, which would end the padding.
        3 => block[end..].fill(7),
        _ => {}
    }
    block
}

/// The bare public operation: the block to the power of 65537.
fn encrypted(block: &[u8], modulus: &[u8]) -> Vec<u8> {
    let bits = u32::try_from(modulus.len() * 8).unwrap();
    let number = |octets: &[u8]| BoxedUint::from_be_slice(octets, bits).unwrap();
    let field = BoxedMontyParams::new_vartime(Odd::new(number(modulus)).unwrap());
    BoxedMontyForm::new(number(block), &field).pow(&BoxedUint::from(65_537_u32)).retrieve().to_be_bytes().to_vec()
}
