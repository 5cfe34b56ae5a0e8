"""fastapi-sso, with a provider of its own making."""

import os

import small_app
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi_sso.sso.base import OpenID
from fastapi_sso.sso.generic import create_provider

app = FastAPI()
session = {}  # of the one member


def to_openid(claims, _):
    return OpenID(id=claims["sub"], email=claims.get("email"), display_name=claims.get("name"))


# LINES
sso = Loop(
    client_id=small_app.CLIENT_ID, client_secret=small_app.CLIENT_SECRET, redirect_uri=small_app.REDIRECT_URI,
    scope=os.environ["SCOPE"].split(), allow_insecure_http=True,
)


@app.get("/login")
async def login():
    async with sso:
        return await sso.get_login_redirect()


@app.get("/callback")
async def callback(request: Request):
    async with sso:
        user = await sso.verify_and_process(request)
        session["me"] = {"sub": user.id, "email": user.email, "name": user.display_name, "access_token": sso.access_token}
    return RedirectResponse("/")


@app.get("/")
async def home():
    return {}


@app.get("/me")
async def me():
    if "me" not in session:
        raise HTTPException(401, "not signed in")
    return session["me"]


@app.exception_handler(Exception)
async def show(_, fault):
    return PlainTextResponse(small_app.show(fault), 500)


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        small_app.ready()


Server(uvicorn.Config(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")).run()
