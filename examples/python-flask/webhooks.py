"""Receives Loop's webhooks: each is checked by Standard Webhooks' own package."""
import os

from flask import Flask, request
from standardwebhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
loop = Webhook(os.environ["LOOP_WEBHOOK_SECRET"])
handled = set()  # in a real app: a table, kept for longer than the three days of attempts


@app.post("/webhooks/loop")
def receive():
    try:
        event = loop.verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError:
        return "This is no event of Loop's.", 400
    if event["id"] not in handled:
        handle(event)
        handled.add(event["id"])
    return "", 204


def handle(event):
    if event["type"] in ("identity.grant.revoked.v1", "identity.user.deleted.v1"):
        print("forget what was read of", event["user_id"], flush=True)
    elif event["type"] == "clinical.biomarker.parsed.v1":
        print("read", len(event["data"]["biomarker_ids"]), "new results of", event["user_id"], flush=True)
    else:
        print("received", event["type"], flush=True)


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "5001")))
