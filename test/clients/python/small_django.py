"""What the small apps with Django share: its settings, but for those of a library."""

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


def start(names, *, apps, middleware=(), backends=(), processors=()):
    """Starts Django with the settings among the app's names, and an empty database."""
    settings.configure(
        DEBUG=True, SECRET_KEY=os.urandom(16).hex(), ROOT_URLCONF="__main__", ALLOWED_HOSTS=["localhost"], USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "app.sqlite3"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", LOGIN_REDIRECT_URL="/", LOGIN_ERROR_URL="/failed",
        EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages", *apps],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware", "django.middleware.csrf.CsrfViewMiddleware", *middleware,
        ],
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend", *backends],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {"context_processors": [
            "django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages", *processors,
        ]}}],
        **{name: value for name, value in names.items() if name.isupper()},
    )
    django.setup()
    call_command("migrate", verbosity=0)
    return get_wsgi_application()
