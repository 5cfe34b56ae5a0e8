"""What the small apps share: a web server that leads their routes to a library.

One member, whose token is kept in memory. A route that an app's library has nothing for
is answered with 501; what the library raises is shown as its developer would see it.
"""

import importlib.metadata
import json
import os
import socketserver
import threading
import traceback
import wsgiref.simple_server

ISSUER = os.environ["ISSUER"]
BASE_URL = os.environ["BASE_URL"]
CLIENT_ID = os.environ["LOOP_CLIENT_ID"]
CLIENT_SECRET = os.environ["LOOP_CLIENT_SECRET"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
AUTHORIZE = ISSUER + "/v1/oauth/authorize"
TOKEN = ISSUER + "/v1/oauth/token"
USERINFO = ISSUER + "/v1/oauth/userinfo"
REVOKE = ISSUER + "/v1/oauth/revoke"
DISCOVERY = ISSUER + "/.well-known/openid-configuration"


class Redirect(Exception):
    """Leads the browser on."""


class SmallApp:
    """The routes. Each act takes the token and gives the next one, or who the member is."""

    def __init__(self, *, login=None, callback=None, me=None, refresh=None, expired=None, disconnect=None, wsgi=None):
        self.login, self.callback, self.me = login, callback, me
        self.refresh, self.expired, self.disconnect = refresh, expired, disconnect
        self.wsgi = wsgi
        self.token = None

    def serve(self):
        server = wsgiref.simple_server.make_server("localhost", int(os.environ["PORT"]), self, Server)
        ready()
        server.serve_forever()

    def __call__(self, environ, start_response):
        route = environ["REQUEST_METHOD"] + " " + environ["PATH_INFO"]
        act = {
            "GET /login": self.login and self.to_login, "GET /callback": self.callback and self.to_callback,
            "GET /": lambda _: {}, "GET /me": self.me and (lambda _: self.who()),
            "POST /refresh": self.refresh and (lambda _: self.renew(self.refresh)),
            "POST /expired": self.expired and (lambda _: self.renew(self.expired)),
            "POST /together": self.refresh and (lambda _: self.together()),
            "POST /disconnect": self.disconnect and (lambda _: self.disconnect(self.token) and {}),
        }.get(route)
        if act is None and self.wsgi is None:
            start_response("501 Not Implemented", [])
            return [b""]
        try:
            if act is None:
                return list(self.wsgi(environ, start_response))
            said = act(BASE_URL + environ["PATH_INFO"] + "?" + environ["QUERY_STRING"])
        except Redirect as to:
            start_response("303 See Other", [("Location", str(to))])
            return [b""]
        except Exception as fault:  # whatever the library raises
            traceback.print_exc()
            start_response("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
            return [show(fault).encode()]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]

    def to_login(self, _):
        raise Redirect(self.login())

    def to_callback(self, address):
        self.token = self.callback(address)
        raise Redirect(BASE_URL + "/")

    def who(self):
        return {**tokens(self.token), **person(self.me(self.token))}

    def renew(self, how):
        self.token = how(self.token)
        return tokens(self.token)

    def together(self):
        """Refreshes twice at once, with one refresh token."""
        used, errors, barrier = dict(self.token), [], threading.Barrier(2)

        def once():
            barrier.wait()
            try:
                self.token = self.refresh(dict(used))
            except Exception as fault:
                errors.append(show(fault))

        both = [threading.Thread(target=once) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        return {**tokens(self.token), "errors": errors}


def show(fault):
    """The last line of what Python prints of an exception."""
    return "".join(traceback.format_exception_only(type(fault), fault)).strip()


def tokens(token):
    return {name: token[name] for name in ("access_token", "refresh_token") if token and token.get(name)}


def person(claims):
    return {name: claims[name] for name in ("sub", "name", "email") if claims.get(name)}


def ready():
    print("ready", importlib.metadata.version(os.environ["MODULE"]), flush=True)


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True
