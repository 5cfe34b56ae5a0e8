"""requests-oauthlib, by its guide to the web application flow."""

import os

import small_app
from requests_oauthlib import OAuth2Session

session = {}  # of the one member


def login():
    # LINES
    return url


def callback(address):
    loop = OAuth2Session(small_app.CLIENT_ID, redirect_uri=small_app.REDIRECT_URI, scope=os.environ["SCOPE"].split(), state=session["state"])
    more = {"code_verifier": session["verifier"]} if "verifier" in session else {}
    return loop.fetch_token(small_app.TOKEN, authorization_response=address, client_secret=small_app.CLIENT_SECRET, **more)


def me(token):
    return OAuth2Session(small_app.CLIENT_ID, token=token).get(small_app.USERINFO).json()


def refresh(token):
    loop = OAuth2Session(small_app.CLIENT_ID, scope=os.environ["SCOPE"].split(), token=token)
    return loop.refresh_token(small_app.TOKEN, client_id=small_app.CLIENT_ID, client_secret=small_app.CLIENT_SECRET)


def expired(token):
    """The session refreshes by itself where a token's time is over."""
    renewed = []
    loop = OAuth2Session(
        small_app.CLIENT_ID, token={**token, "expires_at": 1}, auto_refresh_url=small_app.TOKEN, token_updater=renewed.append,
        auto_refresh_kwargs={"client_id": small_app.CLIENT_ID, "client_secret": small_app.CLIENT_SECRET},
    )
    loop.get(small_app.USERINFO).raise_for_status()
    return renewed[0]


small_app.SmallApp(login=login, callback=callback, me=me, refresh=refresh, expired=expired).serve()
