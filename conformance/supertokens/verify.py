"""Verifies one token with PyJWT's own client for key sets, and prints its claims."""

import json
import sys

import jwt

address, token = sys.argv[1:]
key = jwt.PyJWKClient(address).get_signing_key_from_jwt(token)
print(json.dumps(jwt.decode(token, key, algorithms=["RS256"])))
