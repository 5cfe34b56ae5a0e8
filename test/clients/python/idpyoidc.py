"""idpyoidc, with its handler of relying parties."""

import os
from urllib.parse import parse_qs, urlsplit

import small_app
from idpyoidc.client.rp_handler import RPHandler

session = {}  # of the one member


# LINES


def login():
    return handler.begin("loop")


def callback(address):
    answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    got = handler.finalize(small_app.ISSUER, answer)
    if "error" in got:
        raise RuntimeError(got)
    session.update(state=got["state"], userinfo=got["userinfo"])
    return tokens()


def tokens():
    claims = ["access_token", "refresh_token"]
    return handler.get_client_from_session_key(session["state"]).get_context().cstate.get_set(session["state"], claim=claims)


def me(_):
    return session["userinfo"].to_dict()


def refresh(_):
    got = handler.refresh_access_token(session["state"])
    if "error" in got:
        raise RuntimeError(got)
    return tokens()


small_app.SmallApp(login=login, callback=callback, me=me, refresh=refresh).serve()
