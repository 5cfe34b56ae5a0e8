"""The smallest whole Flask app on Connect with Loop.

It sends a member to sign in and consent, exchanges the code, and reads their
lab results. It keeps tokens in memory and forgets them when it stops: an app
for real members keeps them encrypted in a database.
"""

import base64
import hashlib
import hmac
import os
import secrets
import threading
from urllib.parse import urlencode, urlsplit

import requests
from flask import Flask, jsonify, redirect, request, session

# docs:begin settings
IDENTITY = os.environ["LOOP_IDENTITY_URL"]
CLINICAL = os.environ["LOOP_CLINICAL_URL"]
CLIENT_ID = os.environ["LOOP_CLIENT_ID"]
CLIENT_SECRET = os.environ["LOOP_CLIENT_SECRET"]
REDIRECT_URI = os.environ["LOOP_REDIRECT_URI"]

app = Flask(__name__)
app.secret_key = os.environ["FLASK_SECRET_KEY"]
app.config.update(
    SESSION_COOKIE_HTTPONLY=True,
    SESSION_COOKIE_SAMESITE="Lax",
    SESSION_COOKIE_SECURE=REDIRECT_URI.startswith("https:"),
)
# docs:end settings

# What belongs to a session that must not be in its cookie: Flask signs its
# cookies but does not encrypt them.
tokens_of = {}
one_refresh_at_a_time = threading.Lock()


# docs:begin login
@app.get("/login")
def login():
    """Send the member to Loop, with a state and a verifier of this attempt alone."""
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(32)
    session["oauth_state"], session["code_verifier"] = state, verifier
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    question = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile read:biomarkers",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
    }
    return redirect(f"{IDENTITY}/v1/oauth/authorize?{urlencode(question)}")


# docs:end login


# docs:begin callback
@app.get("/callback")
def callback():
    """Take Loop's answer, once, and exchange its code for tokens."""
    state, verifier = session.pop("oauth_state", ""), session.pop("code_verifier", "")
    ours = state != "" and hmac.compare_digest(request.args.get("state", "").encode(), state.encode())
    if not ours or request.args.get("iss") != IDENTITY:
        return jsonify(error="Invalid state: this answer is not for a request from this browser."), 400
    if "error" in request.args:
        return jsonify(error=request.args["error"]), 400
    tokens, refused = ask_for_tokens(
        grant_type="authorization_code",
        code=request.args.get("code", ""),
        redirect_uri=REDIRECT_URI,
        code_verifier=verifier,
    )
    if refused:
        return jsonify(error="Token exchange failed", detail=refused), 502
    session["id"] = secrets.token_urlsafe(32)
    tokens_of[session["id"]] = tokens
    return show(tokens)


def ask_for_tokens(**form):
    """Ask the token endpoint: the tokens, or what it said instead."""
    form.update(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    answer = requests.post(f"{IDENTITY}/v1/oauth/token", data=form, timeout=10)
    return (answer.json(), None) if answer.ok else (None, answer.json())


# docs:end callback


# docs:begin biomarkers
def show(tokens):
    """Read the lab results; null where the member left them out."""
    answer = requests.get(
        f"{CLINICAL}/v1/biomarkers/me",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=10,
    )
    return jsonify(
        message="Connected to Loop!",
        scopes=tokens["scope"],
        biomarkers=answer.json() if answer.ok else None,
    )


# docs:end biomarkers


# docs:begin refresh
@app.get("/refresh")
def refresh():
    """Get a new pair of tokens. A refresh token works once, so the new one is
    kept before anything else is done with it, and one refresh runs at a time."""
    with one_refresh_at_a_time:
        held = tokens_of.get(session.get("id"))
        if held is None:
            return redirect("/login")
        tokens, refused = ask_for_tokens(grant_type="refresh_token", refresh_token=held["refresh_token"])
        if refused:
            del tokens_of[session["id"]]
            return jsonify(error="Token refresh failed", detail=refused), 502
        tokens_of[session["id"]] = tokens
    return show(tokens)


# docs:end refresh


@app.after_request
def keep_no_copy(answer):
    """Health data is for the member's eyes: no cache may keep it."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


if __name__ == "__main__":
    app.run(host="localhost", port=urlsplit(REDIRECT_URI).port or 5000)
