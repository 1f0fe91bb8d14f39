"""JO-01, JO-02, JO-09, JO-12: tokens that joserfc, and for ML-DSA jwcrypto, and Chancery read of each other."""

import base64
import json
import pathlib
import subprocess
import sys
import warnings

from joserfc import jwe, jws
from joserfc.jwe import FlattenedJSONEncryption, GeneralJSONEncryption
from joserfc.jwk import OctKey, import_key
from jwcrypto import jwk as crypto_jwk
from jwcrypto import jws as crypto_jws

ROOT = pathlib.Path(__file__).resolve().parents[2]
INTEROP = ROOT / "target" / "debug" / "examples" / "interop"

# joserfc warns of `EdDSA` and `RSA1_5`; that both still interoperate is what is tried here.
warnings.simplefilter("ignore")

# What joserfc leaves out; everything else must work.
UNKNOWN = {"RSA-OAEP-384", "RSA-OAEP-512", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}


def call(mode, text=""):
    done = subprocess.run([INTEROP, mode], input=text.encode(), stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(case):
    if case["jwk"]["kty"] == "oct":
        return OctKey.import_key(decode(case["jwk"]["k"]))
    return import_key(case["jwk"])


def read(case):
    if case["alg"].startswith("ML-DSA"):
        token = crypto_jws.JWS()
        token.allowed_algs = [case["alg"]]
        token.deserialize(case["token"], crypto_jwk.JWK(**case["jwk"]))
        return token.payload
    key, compact = key_of(case), case["form"] == "compact"
    token = case["token"] if compact else json.loads(case["token"])
    if case["kind"] == "jws":
        verify = jws.deserialize_compact if compact else jws.deserialize_json
        return verify(token, key, algorithms=[case["alg"]]).payload
    decrypt = jwe.decrypt_compact if compact else jwe.decrypt_json
    return decrypt(token, key, algorithms=[case["alg"], case["enc"]]).plaintext


def write(case):
    alg, payload, form = case["alg"], decode(case["payload"]), case["form"]
    if alg.startswith("ML-DSA"):
        token = crypto_jws.JWS(payload)
        token.allowed_algs = [alg]
        token.add_signature(crypto_jwk.JWK(**case["jwk"]), None, json.dumps({"alg": alg}))
        return token.serialize(compact=form == "compact")
    key = key_of(case)
    if case["kind"] == "jws":
        if form == "compact":
            return jws.serialize_compact({"alg": alg}, payload, key, algorithms=[alg])
        member = {"protected": {"alg": alg}}
        members = member if form == "flattened" else [member]
        return json.dumps(jws.serialize_json(members, payload, key, algorithms=[alg]))
    enc = case["enc"]
    if form == "compact":
        return jwe.encrypt_compact({"alg": alg, "enc": enc}, payload, key, algorithms=[alg, enc])
    if form == "flattened":
        message = FlattenedJSONEncryption({"enc": enc}, payload)
    else:
        message = GeneralJSONEncryption({"enc": enc}, payload)
    message.add_recipient({"alg": alg}, key)
    return json.dumps(jwe.encrypt_json(message, None, algorithms=[alg, enc]))


def name(case):
    words = [case["kind"], case["alg"], case.get("enc"), case["jwk"].get("crv"), case["form"]]
    return " ".join(word for word in words if word)


def main():
    passed, failures = 0, []

    def note(outcome, case, direction):
        nonlocal passed
        if outcome is True:
            passed += 1
        else:
            failures.append(f"{direction} {name(case)}: {outcome}")

    everything = call("write")
    # jwcrypto alone knows ML-DSA; its general form is the flattened one.
    known = [case for case in everything if case["alg"] not in UNKNOWN or case["alg"].startswith("ML-DSA")]
    theirs = []
    for case in known:
        try:
            note(read(case) == decode(case["payload"]) or "the payload differs", case, "reading ours")
        except Exception as error:  # noqa: BLE001 - every refusal is a finding
            note(repr(error), case, "reading ours")
        try:
            theirs.append(dict(case, token=write(case)))
        except Exception as error:  # noqa: BLE001
            note(repr(error), case, "writing theirs")
    for case, outcome in zip(theirs, call("read", json.dumps(theirs)), strict=True):
        note(outcome, case, "reading theirs")
    for failure in failures:
        print(failure)
    print(f"joserfc: {len(everything) - len(known)} cases of algorithms it does not know are left to others")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
