// Auth.js with Express, by its guide to OAuth providers.
import express from "express";
import { ExpressAuth, getSession } from "@auth/express";
import { serve } from "./small-app.mjs";

const loop = {
  // LINES
};
const config = {
  ...loop,
  secret: crypto.randomUUID(), trustHost: true,
  callbacks: {
    jwt: ({ token, account, profile }) => (account ? { ...token, sub: profile.sub, access_token: account.access_token } : token),
    session: ({ session, token }) => ({ ...session, sub: token.sub, email: token.email, access_token: token.access_token }),
  },
};

const app = express();
app.set("trust proxy", true);
app.use("/auth", ExpressAuth(config));
// The page that Auth.js makes has a button for each provider; a form of the app's own is the same.
app.get("/login", async (request, response) => {
  const answer = await fetch(`${process.env.BASE_URL}/auth/csrf`);
  const { csrfToken } = await answer.json();
  for (const cookie of answer.headers.getSetCookie()) response.append("set-cookie", cookie);
  response.send(`<html><form method="post" action="/auth/signin/loop"><input type="hidden" name="csrfToken" value="${csrfToken}"><button id="loop">Loop</button></form></html>`);
});
app.get("/", (_request, response) => response.json({}));
app.get("/me", async (request, response) => {
  const session = await getSession(request, config);
  if (!session) return response.status(401).send("not signed in");
  response.json(session);
});

serve({ handler: app });
