"""pyoidc (its package is called oic), by its guide to relying parties."""

import os
import secrets
from urllib.parse import urlsplit

import small_app
from oic.oic import Client
from oic.oic.message import AuthorizationResponse, RegistrationResponse
from oic.utils.authn.client import CLIENT_AUTHN_METHOD

session = {}  # of the one member


def login():
    # LINES
    session["client"], session["verifier"] = client, verifier
    return url


def callback(address):
    client = session["client"]
    answer = client.parse_response(AuthorizationResponse, info=urlsplit(address).query, sformat="urlencoded")
    if "error" in answer:
        raise RuntimeError(answer.to_dict())
    if answer["state"] != session["state"]:
        raise ValueError("the state is not the session's")
    asked = {"code": answer["code"], "redirect_uri": small_app.REDIRECT_URI}
    if session["verifier"]:
        asked["code_verifier"] = session["verifier"]
    return keep(client.do_access_token_request(state=answer["state"], request_args=asked, authn_method="client_secret_basic"))


def keep(answer):
    if "error" in answer:
        raise RuntimeError(answer.to_dict())
    return answer.to_dict()


def me(_):
    return session["client"].do_user_info_request(state=session["state"]).to_dict()


def refresh(_):
    return keep(session["client"].do_access_token_refresh(state=session["state"], authn_method="client_secret_basic"))


small_app.SmallApp(login=login, callback=callback, me=me, refresh=refresh).serve()
