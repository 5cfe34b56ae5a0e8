"""social-auth-core with Django, with its backend for OpenID Connect."""

import os

import small_app
import small_django

# LINES
django = small_django.start(globals(), apps=["social_django"], backends=["social_core.backends.open_id_connect.OpenIdConnectAuth"])

from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import RequestContext, Template  # noqa: E402
from django.urls import include, path  # noqa: E402
from social_django.models import UserSocialAuth  # noqa: E402
from social_django.utils import load_strategy  # noqa: E402


def sign_in(request):
    """Sign-in starts with a form of the app's."""
    page = Template('<html><form method="post" action="/login/oidc/">{% csrf_token %}<button id="loop">Loop</button></form></html>')
    return HttpResponse(page.render(RequestContext(request)))


def who(account):
    return {"sub": account.uid, "access_token": account.extra_data["access_token"], "refresh_token": account.extra_data["refresh_token"]}


def me(_):
    return JsonResponse(who(UserSocialAuth.objects.get()))


def refresh():
    account = UserSocialAuth.objects.get()
    account.refresh_token(load_strategy())
    return who(UserSocialAuth.objects.get())




urlpatterns = [path("login", sign_in), path("me", me), path("", include("social_django.urls", namespace="social"))]
small_app.SmallApp(wsgi=django, refresh=lambda _: refresh()).serve()
