// Receives Loop's webhooks: each is checked by Standard Webhooks' own package.
import express from "express";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const loop = new Webhook(process.env.LOOP_WEBHOOK_SECRET);
const handled = new Set(); // in a real app: a table, kept for longer than the three days of attempts

const app = express();
app.post("/webhooks/loop", express.raw({ type: "application/json" }), (request, response) => {
  let event;
  try {
    event = loop.verify(request.body.toString(), request.headers);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return response.status(400).send("This is no event of Loop's.");
  }
  if (!handled.has(event.id)) {
    handle(event);
    handled.add(event.id);
  }
  response.status(204).end();
});

function handle(event) {
  switch (event.type) {
    case "identity.grant.revoked.v1":
    case "identity.user.deleted.v1":
      console.log("forget what was read of", event.user_id);
      break;
    case "clinical.biomarker.parsed.v1":
      console.log("read", event.data.biomarker_ids.length, "new results of", event.user_id);
      break;
    default:
      console.log("received", event.type);
  }
}

const server = app.listen(Number(process.env.PORT ?? 5001), "localhost", () => console.log("open http://localhost:" + server.address().port));
