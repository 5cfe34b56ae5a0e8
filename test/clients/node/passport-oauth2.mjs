// passport-oauth2 with Express, by its README.
import express from "express";
import session from "express-session";
import passport from "passport";
import OAuth2Strategy from "passport-oauth2";
import { serve, show, userinfoURL } from "./small-app.mjs";

const verify = (accessToken, refreshToken, _profile, done) => done(null, { access_token: accessToken, refresh_token: refreshToken });
const strategy =
  // LINES
passport.use(strategy);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: crypto.randomUUID(), resave: false, saveUninitialized: false }), passport.session());
app.get("/login", passport.authenticate("oauth2"));
app.get("/callback", passport.authenticate("oauth2", { failureRedirect: "/failed" }), (request, response) => {
  kept.token = request.user;
  response.redirect("/");
});
app.get("/", (_request, response) => response.json({}));
app.get("/failed", (_request, response) => response.status(401).send("Failed to sign in."));
app.use((fault, _request, response, _next) => response.status(fault.status ?? 500).send(show(fault)));

const me = async (token) => (await fetch(userinfoURL, { headers: { authorization: `Bearer ${token.access_token}` } })).json();
const refresh = (token) => new Promise((resolve, reject) =>
  strategy._oauth2.getOAuthAccessToken(token.refresh_token, { grant_type: "refresh_token" }, (fault, access_token, refresh_token) =>
    fault ? reject(fault) : resolve({ access_token, refresh_token })));
const kept = serve({ handler: app, me, refresh });
