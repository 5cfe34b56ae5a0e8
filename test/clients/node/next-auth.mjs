// NextAuth.js 4, by its guide to custom providers: its handler for pages, without Next.
import express from "express";
import { createRequire } from "node:module";
import { serve } from "./small-app.mjs";

const require = createRequire(import.meta.url);
const NextAuth = require("next-auth").default;
process.env.NEXTAUTH_URL = process.env.BASE_URL + "/api/auth";

const loop = {
  // LINES
};
const options = {
  ...loop,
  secret: crypto.randomUUID(),
  callbacks: {
    jwt: ({ token, account }) => (account ? { ...token, access_token: account.access_token } : token),
    session: ({ session, token }) => ({ ...session, sub: token.sub, access_token: token.access_token }),
  },
};

const app = express();
app.use(express.urlencoded({ extended: false }), (request, _response, next) => {
  request.cookies = Object.fromEntries((request.headers.cookie ?? "").split("; ").filter(Boolean).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))];
  }));
  next();
});
app.all("/api/auth/{*nextauth}", (request, response) => {
  Object.defineProperty(request, "query", { value: { ...request.query, nextauth: request.params.nextauth } });
  return NextAuth(request, response, options);
});
app.get("/login", async (_request, response) => {
  const answer = await fetch(`${process.env.BASE_URL}/api/auth/csrf`);
  const { csrfToken } = await answer.json();
  for (const cookie of answer.headers.getSetCookie()) response.append("set-cookie", cookie);
  response.send(`<html><form method="post" action="/api/auth/signin/loop"><input type="hidden" name="csrfToken" value="${csrfToken}"><button id="loop">Loop</button></form></html>`);
});
app.get("/", (_request, response) => response.json({}));
app.get("/me", async (request, response) => {
  const answer = await fetch(`${process.env.BASE_URL}/api/auth/session`, { headers: { cookie: request.headers.cookie ?? "" } });
  const session = await answer.json();
  if (!session.sub) return response.status(401).send("not signed in");
  response.json(session);
});

serve({ handler: app });
