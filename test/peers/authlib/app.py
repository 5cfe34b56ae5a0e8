"""An app on Authlib and requests; peers_test.go says what it reads and what it prints."""

import json
import sys
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet


def main(path):
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    server = requests.get(settings["issuer"] + "/.well-known/openid-configuration", timeout=30).json()
    assert server["issuer"] == settings["issuer"], "the document is another issuer's"

    session = new_session(settings, server)
    nonce, verifier = generate_token(32), generate_token(64)
    address, state = session.create_authorization_url(server["authorization_endpoint"], nonce=nonce, code_verifier=verifier)
    print(address, flush=True)

    back = sys.stdin.readline().strip()
    assert parse_qs(urlsplit(back).query)["iss"] == [server["issuer"]], "another server answered"
    first = session.fetch_token(server["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
    claims = read_id_token(settings, server, first["id_token"], nonce)
    user_info = session.get(server["userinfo_endpoint"], timeout=30).json()
    got = {"claims": claims, "userinfo": user_info, "first": read(settings, session, first)}
    refreshed = session.refresh_token(server["token_endpoint"], refresh_token=first["refresh_token"])
    got["refreshed"] = read(settings, session, refreshed)
    print(json.dumps(got), flush=True)


def new_session(settings, server):
    """Proves itself with the client's secret, or with its key (RFC 7523)."""
    by_key = settings["token_endpoint_auth_method"] == "private_key_jwt"
    session = OAuth2Session(
        client_id=settings["client_id"],
        client_secret=ECKey.import_key(settings["key"]) if by_key else settings["client_secret"],
        token_endpoint_auth_method=settings["token_endpoint_auth_method"],
        token_endpoint=server["token_endpoint"],
        redirect_uri=settings["redirect_uri"],
        scope=settings["scope"],
        code_challenge_method="S256",
    )
    if by_key:
        session.register_client_auth_method(PrivateKeyJWT(alg="ES256"))
    return session


def read_id_token(settings, server, text, nonce):
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=30).json())
    token = jwt.decode(text, keys, algorithms=[settings["id_token_signed_response_alg"]])
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": server["issuer"]},
        aud={"essential": True, "value": settings["client_id"]},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
    )
    registry.validate(token.claims)
    return token.claims


def read(settings, session, tokens):
    page = session.get(settings["clinical"] + "/v1/biomarkers/me", timeout=30)
    page.raise_for_status()
    got = {name: tokens[name] for name in ("access_token", "refresh_token", "id_token", "token_type", "scope")}
    return got | {"biomarkers": len(page.json()["biomarkers"])}


if __name__ == "__main__":
    main(sys.argv[-1])
