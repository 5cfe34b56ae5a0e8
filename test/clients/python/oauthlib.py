"""oauthlib, by its guide to the web application client; requests sends what it prepares."""

import os
import secrets

import oauthlib.oauth2
import requests
import small_app
from oauthlib.oauth2 import WebApplicationClient

session = {}  # of the one member


def login():
    # LINES
    return url


def send(prepared):
    address, headers, body = prepared
    return requests.post(address, headers=headers, data=body).text


def callback(address):
    client = WebApplicationClient(small_app.CLIENT_ID)
    more = {"code_verifier": session["verifier"]} if "verifier" in session else {}
    text = send(client.prepare_token_request(
        small_app.TOKEN, authorization_response=address, redirect_url=small_app.REDIRECT_URI, state=session["state"],
        client_secret=small_app.CLIENT_SECRET, **more,
    ))
    return client.parse_request_body_response(text)


def me(token):
    address, headers, _ = WebApplicationClient(small_app.CLIENT_ID, token=token).add_token(small_app.USERINFO)
    return requests.get(address, headers=headers).json()


def refresh(token):
    client = WebApplicationClient(small_app.CLIENT_ID, token=token)
    text = send(client.prepare_refresh_token_request(
        small_app.TOKEN, refresh_token=token["refresh_token"], scope=os.environ["SCOPE"].split(),
        client_id=small_app.CLIENT_ID, client_secret=small_app.CLIENT_SECRET,
    ))
    return client.parse_request_body_response(text)


def expired(token):
    """The client says that a token's time is over, and leaves the rest to the app."""
    try:
        me({**token, "expires_at": 1})
    except oauthlib.oauth2.TokenExpiredError:
        return refresh(token)


def disconnect(token):
    client = WebApplicationClient(small_app.CLIENT_ID)
    address, headers, body = client.prepare_token_revocation_request(small_app.REVOKE, token["refresh_token"], "refresh_token")
    requests.post(address, headers=headers, data=body, auth=(small_app.CLIENT_ID, small_app.CLIENT_SECRET)).raise_for_status()


small_app.SmallApp(login=login, callback=callback, me=me, refresh=refresh, expired=expired, disconnect=disconnect).serve()
