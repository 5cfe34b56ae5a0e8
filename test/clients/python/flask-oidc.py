"""Flask-OIDC, by its guide. It keeps the member's token in Flask's session."""

import os

import small_app
from flask import Flask, session
from flask_oidc import OpenIDConnect

app = Flask(__name__)
app.config.update(SECRET_KEY=os.urandom(16), PROPAGATE_EXCEPTIONS=True)
# LINES


@app.get("/me")
@oidc.require_login
def me():
    return {**small_app.tokens(session["oidc_auth_token"]), **small_app.person(session["oidc_auth_profile"])}


@app.post("/refresh")
@app.post("/expired")
def refresh():
    """The library refreshes at the first request after a token's time is over."""
    session["oidc_auth_token"] = {**session["oidc_auth_token"], "expires_at": 1}
    refused = oidc.check_token_expiry()
    if refused is not None:
        raise RuntimeError("the library signs the member out")
    return small_app.tokens(session["oidc_auth_token"])


small_app.SmallApp(wsgi=app).serve()
