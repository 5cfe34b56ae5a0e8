// express-openid-connect, by its README.
import express from "express";
import { auth } from "express-openid-connect";
import { serve, show } from "./small-app.mjs";

const app = express();
process.env.SESSION_SECRET = crypto.randomUUID();
// LINES

const current = (request) => ({ access_token: request.oidc.accessToken?.access_token, refresh_token: request.oidc.refreshToken });

app.get("/", (_request, response) => response.json({}));
app.get("/me", async (request, response) => {
  if (!request.oidc.isAuthenticated()) return response.status(401).send("not signed in");
  response.json({ ...(await request.oidc.fetchUserInfo()), ...current(request) });
});
app.post("/refresh", async (request, response) => {
  await request.oidc.accessToken.refresh();
  response.json(current(request));
});
app.use((fault, _request, response, _next) => response.status(fault.status ?? 500).send(show(fault)));

serve({ handler: app });
