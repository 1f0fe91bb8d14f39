"""Reads tokens with jwcrypto: JSON cases on stdin, for each its plaintext or payload on stdout, or why it cannot be read."""

import json
import sys

from jwcrypto import jwe, jwk, jws


def read(case):
    key = jwk.JWK(**case["key"])
    if case["kind"] == "jws":
        token = jws.JWS()
        token.allowed_algs = [case["alg"]]
        token.deserialize(case["token"], key)
        return token.payload.decode()
    token = jwe.JWE(algs=[case["alg"], case["enc"]])
    token.deserialize(case["token"], key)
    return token.payload.decode()


def outcome(case):
    try:
        return {"text": read(case)}
    except Exception as error:  # noqa: BLE001 - every refusal is a finding
        return {"error": repr(error)}


print(json.dumps([outcome(case) for case in json.load(sys.stdin)]))
