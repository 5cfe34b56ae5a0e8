// passport-openidconnect with Express, by its README.
import express from "express";
import session from "express-session";
import passport from "passport";
import OpenIDConnectStrategy from "passport-openidconnect";
import { createHash, randomBytes } from "node:crypto";
import { serve, show } from "./small-app.mjs";

const verify = (_issuer, profile, _context, _idToken, accessToken, refreshToken, done) =>
  done(null, { sub: profile.id, email: profile.emails?.[0]?.value, access_token: accessToken, refresh_token: refreshToken });
// LINES
passport.use(strategy);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: crypto.randomUUID(), resave: false, saveUninitialized: false }), passport.session());
app.get("/login", passport.authenticate("openidconnect"));
app.get("/callback", passport.authenticate("openidconnect", { failureRedirect: "/failed", failureMessage: true }), (_request, response) => response.redirect("/"));
app.get("/", (_request, response) => response.json({}));
app.get("/failed", (request, response) => response.status(401).send(request.session.messages?.join(" ") ?? "Failed to sign in."));
app.get("/me", (request, response) => (request.user ? response.json(request.user) : response.status(401).send("not signed in")));
app.use((fault, _request, response, _next) => response.status(fault.status ?? 500).send(show(fault)));

serve({ handler: app });
