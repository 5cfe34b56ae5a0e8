"""aioauth-client, with its general OAuth 2 client."""

import asyncio
import base64
import hashlib
import os
import secrets
from urllib.parse import parse_qs, urlsplit

import small_app
from aioauth_client import OAuth2Client

session = {}  # of the one member


def new_client(access_token=None):
    return OAuth2Client(
        client_id=small_app.CLIENT_ID, client_secret=small_app.CLIENT_SECRET, access_token=access_token,
        authorize_url=small_app.AUTHORIZE, access_token_url=small_app.TOKEN,
    )


def login():
    client = new_client()
    # LINES
    return url


def callback(address):
    answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    if answer.get("state") != session.get("state"):
        raise ValueError("the state is not the session's")
    more = {"code_verifier": session["verifier"]} if "verifier" in session else {}
    return asyncio.run(new_client().get_access_token(answer["code"], small_app.REDIRECT_URI, **more))[1]


def me(token):
    return asyncio.run(new_client(token["access_token"]).request("GET", small_app.USERINFO))


def refresh(token):
    return asyncio.run(new_client().get_access_token(token["refresh_token"], grant_type="refresh_token"))[1]


small_app.SmallApp(login=login, callback=callback, me=me, refresh=refresh).serve()
