"""mozilla-django-oidc, by its quickstart."""

import os

import small_app
import small_django

# LINES
OIDC_STORE_ACCESS_TOKEN = True  # /me shows it
django = small_django.start(
    globals(), apps=["mozilla_django_oidc"], backends=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
)

from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def me(request):
    """The library knows a member by their e-mail address."""
    return JsonResponse({"email": getattr(request.user, "email", ""), "access_token": request.session.get("oidc_access_token")})


urlpatterns = [path("me", me), path("oidc/", include("mozilla_django_oidc.urls"))]
small_app.SmallApp(wsgi=django, login=lambda: small_app.BASE_URL + "/oidc/authenticate/").serve()
