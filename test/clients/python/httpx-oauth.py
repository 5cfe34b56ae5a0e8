"""httpx-oauth, with its OpenID client."""

import asyncio
import base64
import hashlib
import os
import secrets
from urllib.parse import parse_qs, urlsplit

import small_app
from httpx_oauth.clients.openid import OpenID

session = {}  # of the one member
client = OpenID(small_app.CLIENT_ID, small_app.CLIENT_SECRET, small_app.DISCOVERY)


async def login():
    # LINES
    return url


async def callback(address):
    answer = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    if answer.get("state") != session.get("state"):
        raise ValueError("the state is not the session's")
    return await client.get_access_token(answer["code"], small_app.REDIRECT_URI, session.get("verifier"))


def me(token):
    return asyncio.run(client.get_profile(token["access_token"]))


def refresh(token):
    return asyncio.run(client.refresh_token(token["refresh_token"]))


def disconnect(token):
    asyncio.run(client.revoke_token(token["refresh_token"], "refresh_token"))


small_app.SmallApp(
    login=lambda: asyncio.run(login()), callback=lambda address: asyncio.run(callback(address)),
    me=me, refresh=refresh, disconnect=disconnect,
).serve()
