"""Connect with Loop in FastAPI, with Authlib as the OAuth client.

    . .loop/dev.env && uvicorn app:app --port 5000 --no-access-log

It keeps tokens in memory, by session, and forgets them when it stops. An app for real
members keeps them encrypted in a database.
"""

import os
import secrets

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

# docs:begin settings
CLINICAL = os.environ["LOOP_CLINICAL_URL"]
REDIRECT_URI = os.environ["LOOP_REDIRECT_URI"]

oauth = OAuth()
oauth.register(
    "loop",
    server_metadata_url=os.environ["LOOP_IDENTITY_URL"] + "/.well-known/openid-configuration",
    client_id=os.environ["LOOP_CLIENT_ID"],
    client_secret=os.environ["LOOP_CLIENT_SECRET"],
    client_kwargs={
        "scope": "openid profile read:biomarkers",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "client_secret_post",
        "timeout": 10,
    },
)

app = FastAPI()
app.add_middleware(
    SessionMiddleware,
    secret_key=os.environ.get("FLASK_SECRET_KEY") or secrets.token_hex(32),
    same_site="lax",
    https_only=REDIRECT_URI.startswith("https:"),
)
tokens = {}  # by session: the cookie is signed and not encrypted, so no token goes in there
# docs:end settings


# docs:begin login
@app.get("/login")
async def login(request: Request):
    """Send the member to Loop: Authlib adds state, nonce and the code challenge."""
    return await oauth.loop.authorize_redirect(request, REDIRECT_URI)


# docs:end login


# docs:begin callback
@app.get("/callback")
async def callback(request: Request):
    """Take the answer, exchange the code and read the lab results."""
    metadata = await oauth.loop.load_server_metadata()
    if request.query_params.get("iss") != metadata["issuer"]:
        return JSONResponse({"error": "This answer is not from Loop."}, 400)
    try:
        token = await oauth.loop.authorize_access_token(request)
    except OAuthError as refused:
        return JSONResponse({"error": refused.error, "error_description": refused.description}, 400)
    request.session["id"] = secrets.token_urlsafe()
    tokens[request.session["id"]] = token
    return await show(token)


# docs:end callback


# docs:begin biomarkers
async def show(token):
    """Read what the member allows; a 403 means that they left lab results out."""
    async with httpx.AsyncClient(timeout=10) as client:
        answer = await client.get(
            CLINICAL + "/v1/biomarkers/me",
            headers={"Authorization": "Bearer " + token["access_token"]},
        )
    if answer.status_code not in (200, 403):
        return JSONResponse({"error": "Reading lab results failed"}, 502)
    return {
        "message": "Connected to Loop!",
        "scopes": token["scope"],
        "biomarkers": answer.json() if answer.status_code == 200 else None,
    }


# docs:end biomarkers


@app.get("/")
async def home():
    """Begin where everything begins."""
    return RedirectResponse("/login")
