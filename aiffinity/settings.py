"""Settings of the platform, read from the environment; `.env.example` explains every variable."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured

from aiffinity.embedded.addresses import celery_broker_url, embedded_urls

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
ENV_FILE = os.environ.get("AIFFINITY_ENV_FILE", str(BASE_DIR / ".env"))
if ENV_FILE:
    env.read_env(ENV_FILE)

# Identity of this deployment -------------------------------------------------------------------------------
ENVIRONMENT = env("AIFFINITY_ENVIRONMENT")
BASE_URL = env("AIFFINITY_BASE_URL").rstrip("/")
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
DEBUG = False
SECRET_KEY = env("SECRET_KEY")
ENCRYPTION_KEYS: list[str] = env.list("AIFFINITY_ENCRYPTION_KEYS")
USER_ID_KEY = env("AIFFINITY_USER_ID_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
METRICS_TOKEN = env("METRICS_TOKEN", default="")

# Collections have no trailing slash, so their items' routes begin with one.
SILENCED_SYSTEM_CHECKS = ["urls.W002"]

# Applications ----------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "aiffinity.admin_site.apps.StaffConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "aiffinity.lib",
    "providers",
    "runtime",
    "packages",
    "capabilities",
    "catalog",
]
MIDDLEWARE = [
    "aiffinity.lib.request_ids.RequestIdMiddleware",
    "aiffinity.lib.access_log.AccessLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "aiffinity.admin_site.content_security.ContentSecurityMiddleware",
]
ROOT_URLCONF = "aiffinity.urls"
ASGI_APPLICATION = "aiffinity.asgi.application"
WSGI_APPLICATION = "aiffinity.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_USER_MODEL = "providers.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["aiffinity.admin_site.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

# PostgreSQL and Redis; unset means the embedded servers below DATA_DIR ---------------------------------------
EMBEDDED = embedded_urls(DATA_DIR)
DATABASES: dict[str, Any] = {"default": env.db_url_config(env("DATABASE_URL", default="") or EMBEDDED.database_url)}
if DATABASES["default"].get("ENGINE") != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be an address such as postgres://user:password@host:5432/name.")
DATABASES["default"]["ENGINE"] = "aiffinity.lib.postgresql"
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=16)
if DATABASE_POOL_SIZE:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {
        "min_size": 0,
        "max_size": DATABASE_POOL_SIZE,
        "timeout": 5,
        "max_idle": 60,
        # A lost server is tried anew by the next request, not after the pool's growing pauses.
        "reconnect_timeout": 2,
    }
REDIS_URL = env("REDIS_URL", default="") or EMBEDDED.redis_url
REDIS_TIMEOUT_SECONDS = 0.5

CELERY_BROKER_URL = celery_broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A wake-up is tried once: kombu would otherwise hold the caller for 6 s while the broker is away.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 1, "max_retries": 0}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
WORKER_NICENESS = env.int("WORKER_NICENESS", default=10)
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "deliver-due-webhooks": {"task": "runtime.tasks.deliver_due_webhooks", "schedule": timedelta(seconds=5)},
    "carry-out-recoveries": {"task": "runtime.tasks.carry_out_recoveries", "schedule": timedelta(seconds=10)},
    "refresh-connections": {"task": "runtime.tasks.refresh_connections", "schedule": timedelta(seconds=10)},
    "revoke-connections": {"task": "runtime.tasks.revoke_connections", "schedule": timedelta(seconds=30)},
    "run-due-health-checks": {"task": "runtime.tasks.run_due_health_checks", "schedule": timedelta(seconds=2)},
    "resume-validation-runs": {
        "task": "packages.tasks.resume_validation_runs",
        "schedule": timedelta(seconds=10),
    },
    "list-submitted-versions": {
        "task": "packages.tasks.list_submitted_versions",
        "schedule": timedelta(seconds=10),
    },
    "open-re-reviews": {"task": "packages.tasks.open_re_reviews", "schedule": timedelta(seconds=30)},
    "expire-claims-and-approvals": {
        "task": "packages.tasks.expire_claims_and_approvals",
        "schedule": timedelta(seconds=60),
    },
    "send-due-mails": {"task": "aiffinity.lib.tasks.send_due_mails", "schedule": timedelta(seconds=10)},
    "push-call-counts": {"task": "capabilities.tasks.push_call_counts", "schedule": timedelta(minutes=5)},
    "follow-updates": {"task": "capabilities.tasks.follow_updates", "schedule": timedelta(seconds=60)},
    "note-heartbeat": {"task": "aiffinity.lib.tasks.note_heartbeat", "schedule": timedelta(seconds=10)},
    "purge-expired": {"task": "aiffinity.lib.tasks.purge_expired", "schedule": timedelta(hours=1)},
}

# Mail ------------------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Aiffinity <no-reply@aiffinity.me>")
# A server that hangs must not hold a batch longer than its lease.
EMAIL_TIMEOUT = 10
if env("EMAIL_URL", default=""):
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

# HTTP ------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
if ENVIRONMENT in ("staging", "production", "sandbox"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"\Ahealthz\Z", r"\Areadyz\Z"]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],  # The staff console's pages get 'unsafe-eval' from the middleware.
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

# Staff console ---------------------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Aiffinity console",
    "SITE_HEADER": "Aiffinity",
    "SITE_SUBHEADER": "Staff console",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "aiffinity.admin_site.navigation.environment_badge",
    "STYLES": ["aiffinity.admin_site.navigation.theme"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "aiffinity.admin_site.navigation.favicon"}],
    "DASHBOARD_CALLBACK": "packages.console.start.start_context",
    "SIDEBAR": {"show_search": False, "navigation": "aiffinity.admin_site.navigation.sidebar"},
}

# API -------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["providers.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["providers.permissions.IsAccountHolder"],
    "DEFAULT_THROTTLE_CLASSES": ["providers.throttling.PlanThrottle"],
    "DEFAULT_PARSER_CLASSES": ["aiffinity.lib.json_gate.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["aiffinity.lib.envelope.EnvelopeRenderer"],
    "DEFAULT_SCHEMA_CLASS": "aiffinity.lib.openapi.PlatformSchema",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "aiffinity.lib.envelope.JsonAlways",
    "EXCEPTION_HANDLER": "aiffinity.lib.errors.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Aiffinity Provider Platform",
    "DESCRIPTION": "Publish capability packages, have them reviewed, and run them for users.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [
        {"url": BASE_URL, "description": f"This deployment ({ENVIRONMENT})"},
        {"url": "https://api.aiffinity.me", "description": "Production"},
        {"url": "https://api.staging.aiffinity.me", "description": "Staging"},
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AttestationKind": "packages.models.AttestationKind",
        "AuthStrategy": "runtime.auth_profiles.STRATEGIES",
        "AvailabilityMode": "packages.models.AvailabilityMode",
        "CapabilityMode": "runtime.descriptors.MODES",
        "ConnectionState": "catalog.connection_serializers.CONNECTION_STATES",
        "CatalogSort": "catalog.search.SORTS",
        "DriftLevel": "packages.drift.Level",
        "ErrorCode": "aiffinity.lib.errors.REGISTRY",
        "EventType": "runtime.event_types.EVENT_TYPES",
        "HealthStatus": "runtime.models.HealthStatus",
        "MessageAuthor": "packages.models.MessageAuthor",
        "RecoveryKind": "runtime.models.RecoveryKind",
        "RecoveryStatus": "runtime.models.RecoveryStatus",
        "ReviewDecisionKind": "packages.models.Decision",
        "ReviewKind": "packages.models.ReviewKind",
        "ReviewOutcome": "packages.models.ReviewOutcome",
        "ReviewState": "packages.serializers.versions.REVIEW_STATES",
        "RiskTier": "packages.models.RiskTier",
        "RuntimeStatus": "runtime.models.RuntimeStatus",
        "ValidationRunState": "packages.models.RunState",
        "VersionState": "packages.models.VersionState",
    },
    "TAGS": [
        {"name": "Account", "description": "The developer account: sign-up, verification, login, forgotten passwords."},
        {"name": "Apps", "description": "Provider apps and their client credentials."},
        {"name": "Authentication", "description": "Access tokens for apps, and the keys that verify them."},
        {"name": "Packages", "description": "Packages and versions, from draft to listed."},
        {"name": "Runtime apps", "description": "The executable identity of an app: endpoints and status."},
        {"name": "Auth profiles", "description": "How an app authenticates its users."},
        {"name": "Capability templates", "description": "What an app can do, as descriptors in five modes."},
        {"name": "Webhook profiles", "description": "Where events go, and the secret that signs them."},
        {"name": "Webhooks", "description": "Deliveries of events: look, replay, recover, test."},
        {"name": "Secrets", "description": "Named secrets for handlers; values are never answered."},
        {"name": "Health", "description": "What the health checks of an app found."},
        {"name": "Capabilities", "description": "Invoke capabilities, read states and the log of calls."},
        {"name": "Catalog", "description": "The public catalog: browse, look, install."},
        {"name": "Connections", "description": "A user's access at the provider, for one install."},
        {"name": "Space", "description": "The marketplace and installs of a user."},
        {"name": "Reference", "description": "The API about itself."},
    ],
    "PREPROCESSING_HOOKS": ["aiffinity.lib.openapi.only_api_paths"],
    "POSTPROCESSING_HOOKS": ["aiffinity.lib.openapi.add_components"],
}

# Identity, tokens and limits -----------------------------------------------------------------------------------
IDENTITY_BACKEND = env("IDENTITY_BACKEND", default="local")
RATE_LIMIT_FACTOR = 10 if ENVIRONMENT == "sandbox" else 1

# Calls to providers ------------------------------------------------------------------------------------------
EGRESS_ALLOW = env.list("AIFFINITY_EGRESS_ALLOW", default=[])
EGRESS_ALLOW_HTTP = env.bool("AIFFINITY_EGRESS_ALLOW_HTTP", default=False)
EGRESS_PORTS = env.list("AIFFINITY_EGRESS_PORTS", cast=int, default=[443, 8443])
EGRESS_PROXY = env("AIFFINITY_EGRESS_PROXY", default="")
EXECUTE_TIMEOUT_MS = env.int("AIFFINITY_EXECUTE_TIMEOUT_MS", default=10_000)
# Half of a web process's threads, so that one hung provider leaves the other half to everybody else.
EXECUTE_MAX_IN_FLIGHT = env.int(
    "AIFFINITY_EXECUTE_MAX_IN_FLIGHT", default=max(1, env.int("WEB_THREADS", default=32) // 2)
)

# Where the page behind the providers' consent pages sends a user on to: the Aiffinity app.
CONNECTION_RETURN_URL = env("AIFFINITY_CONNECTION_RETURN_URL", default="aiffinity://connections/complete")

# Logs ------------------------------------------------------------------------------------------------------
LOGGING_CONFIG = "aiffinity.lib.logs.configure"
LOGGING = {
    "level": env("LOG_LEVEL", default="INFO"),
    "secrets": [
        SECRET_KEY,
        METRICS_TOKEN,
        USER_ID_KEY,
        *(entry.partition(":")[2] for entry in ENCRYPTION_KEYS),
        str(DATABASES["default"].get("PASSWORD") or ""),
        urlsplit(REDIS_URL).password or "",
        str(vars().get("EMAIL_HOST_PASSWORD") or ""),
    ],
}
