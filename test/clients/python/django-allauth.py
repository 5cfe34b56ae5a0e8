"""django-allauth, with its provider for OpenID Connect."""

import os

import small_app
import small_django

# LINES
SOCIALACCOUNT_STORE_TOKENS = True  # /me shows the access token
SOCIALACCOUNT_LOGIN_ON_GET = True  # no page between an app's own link and the platform
django = small_django.start(
    globals(), apps=["allauth", "allauth.account", "allauth.socialaccount", "allauth.socialaccount.providers.openid_connect"],
    middleware=["allauth.account.middleware.AccountMiddleware"], backends=["allauth.account.auth_backends.AuthenticationBackend"],
)

from allauth.socialaccount.models import SocialAccount, SocialToken  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def me(request):
    account = SocialAccount.objects.get(user=request.user)
    token = SocialToken.objects.get(account=account)
    return JsonResponse({**account.extra_data["userinfo"], "access_token": token.token})


urlpatterns = [path("me", me), path("accounts/", include("allauth.urls"))]
small_app.SmallApp(wsgi=django, login=lambda: small_app.BASE_URL + "/accounts/oidc/loop/login/").serve()
