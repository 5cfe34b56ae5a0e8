"""Flask-Dance, with a custom provider."""

import os

import small_app
from flask import Flask
from flask_dance.consumer import OAuth2ConsumerBlueprint, oauth_error
from flask_dance.consumer.storage import BaseStorage

app = Flask(__name__)
app.config.update(SECRET_KEY=os.urandom(16), PROPAGATE_EXCEPTIONS=True)
# LINES
errors = []


class Kept(BaseStorage):
    """Keeps the member's token where the small app has it."""

    def get(self, blueprint):
        return small.token

    def set(self, blueprint, token):
        small.token = token

    def delete(self, blueprint):
        small.token = None


loop.storage = Kept()
app.register_blueprint(loop)


@oauth_error.connect
def note(_, error, error_description=None, **__):
    """What the library logs and goes on."""
    errors.append(f"{error}: {error_description}")


def login():
    return small_app.BASE_URL + "/loop"


def me(_):
    with app.test_request_context():
        if not loop.authorized:
            raise RuntimeError(errors[-1] if errors else "not signed in")
        return loop.session.get(small_app.USERINFO).json()


def refresh(token):
    with app.test_request_context():
        return loop.session.refresh_token(small_app.TOKEN, token["refresh_token"], auth=(small_app.CLIENT_ID, small_app.CLIENT_SECRET))


def expired(token):
    """The session refreshes by itself where a token's time is over."""
    small.token = {**token, "expires_at": 1}
    me(token)
    return small.token


small = small_app.SmallApp(wsgi=app, login=login, me=me, refresh=refresh, expired=expired)
small.serve()
