// Better Auth, with its plugin for OAuth providers of any kind.
import express from "express";
import { betterAuth } from "better-auth";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { genericOAuth } from "better-auth/plugins";
import { serve, show } from "./small-app.mjs";

const auth = betterAuth({
  baseURL: process.env.BASE_URL, secret: crypto.randomUUID(),
  plugins: [
    // LINES
  ],
});

const app = express();
app.all("/api/auth/{*path}", toNodeHandler(auth));
app.get("/login", async (_request, response) => {
  const answer = await auth.api.signInSocial({ body: { provider: "loop", callbackURL: "/", errorCallbackURL: "/failed" }, asResponse: true });
  for (const cookie of answer.headers.getSetCookie()) response.append("set-cookie", cookie);
  response.redirect((await answer.json()).url);
});
app.get("/", (_request, response) => response.json({}));
app.get("/failed", (request, response) => response.status(401).json(request.query));
const headers = (request) => fromNodeHeaders(request.headers);
// accountOf gives the member's account and how its tokens are asked for.
async function accountOf(request) {
  const [account] = await auth.api.listUserAccounts({ headers: headers(request) });
  return { account, query: { headers: headers(request), body: { accountId: account.id } } };
}
app.get("/me", async (request, response) => {
  const session = await auth.api.getSession({ headers: headers(request) });
  if (!session) return response.status(401).send("not signed in");
  const { account, query } = await accountOf(request);
  const { accessToken } = await auth.api.getAccessToken(query);
  response.json({ sub: account.providerAccountId ?? account.accountId, email: session.user.email, access_token: accessToken });
});
app.post("/refresh", async (request, response) => {
  const { accessToken, refreshToken } = await auth.api.refreshToken((await accountOf(request)).query);
  response.json({ access_token: accessToken, refresh_token: refreshToken });
});
app.use((fault, _request, response, _next) => response.status(500).send(show(fault)));

serve({ handler: app });
