// grant with Express, by its README.
import express from "express";
import session from "express-session";
import Grant from "grant";
import { serve, userinfoURL } from "./small-app.mjs";

const grant = Grant.express();
const app = express();
app.use(session({ secret: crypto.randomUUID(), resave: false, saveUninitialized: true }));
app.use(grant(
  // LINES
));
app.get("/login", (_request, response) => response.redirect("/connect/loop"));
app.get("/hello", (request, response) => {
  const answer = request.session.grant?.response;
  if (answer?.error || !answer?.access_token) return response.status(401).json(answer ?? "nothing in the session");
  kept.token = answer;
  response.redirect("/");
});
app.get("/", (_request, response) => response.json({}));

const me = async (token) => (await fetch(userinfoURL, { headers: { authorization: `Bearer ${token.access_token}` } })).json();
const kept = serve({ handler: app, me });
