"""Authlib with Flask, by its guide to the Flask client."""

import os

import small_app
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, url_for

app = Flask(__name__)
app.config.update(SECRET_KEY=os.urandom(16), PROPAGATE_EXCEPTIONS=True)


def keep(token, **_):
    small.token = token


oauth = OAuth(app, update_token=lambda name, token, **_: keep(token))
# LINES


@app.route("/login")
def login():
    return oauth.loop.authorize_redirect(url_for("callback", _external=True))


@app.route("/callback")
def callback():
    keep(oauth.loop.authorize_access_token())
    return {}


def me(token):
    return oauth.loop.userinfo(token=token)


def refresh(token):
    return OAuth2Session(small_app.CLIENT_ID, small_app.CLIENT_SECRET, scope=os.environ["SCOPE"], token=token).refresh_token(small_app.TOKEN)


def expired(token):
    """The client refreshes by itself where a token's time is over."""
    with app.app_context():
        oauth.loop.userinfo(token={**token, "expires_at": 1})
    return small.token


def disconnect(token):
    OAuth2Session(small_app.CLIENT_ID, small_app.CLIENT_SECRET, token=token).revoke_token(small_app.REVOKE, token["refresh_token"])


small = small_app.SmallApp(wsgi=app, me=me, refresh=refresh, expired=expired, disconnect=disconnect)
small.serve()
