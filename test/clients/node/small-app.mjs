// What the small apps share: a web server that leads their routes to a library.
//
// One member, whose token is kept in memory. A route that an app's library has nothing
// for is answered with 501; what the library throws is shown as its developer would see
// it.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const issuer = process.env.ISSUER;
export const baseURL = process.env.BASE_URL;
export const clientID = process.env.LOOP_CLIENT_ID;
export const clientSecret = process.env.LOOP_CLIENT_SECRET;
export const redirectURI = process.env.REDIRECT_URI;
export const scope = process.env.SCOPE;
export const tokenURL = issuer + "/v1/oauth/token";
export const userinfoURL = issuer + "/v1/oauth/userinfo";
export const revokeURL = issuer + "/v1/oauth/revoke";

// serve takes the acts of an app. Each takes the token and gives the next one, or who
// the member is. handler, of a framework, has the routes that are left.
export function serve(acts) {
  const app = { token: undefined };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, baseURL);
    const act = routes(app, acts)[`${request.method} ${url.pathname}`];
    if (!act && acts.handler) return acts.handler(request, response);
    try {
      const said = act ? await act(url) : undefined;
      if (said instanceof URL) return response.writeHead(303, { location: said.href }).end();
      response.writeHead(said ? 200 : 501, { "content-type": "application/json" }).end(JSON.stringify(said ?? {}));
    } catch (fault) {
      console.error(fault);
      response.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(show(fault));
    }
  });
  server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("ready", version()));
  return app;
}

function routes(app, acts) {
  const home = new URL("/", baseURL);
  const renew = (how) => how && (async () => tokens((app.token = await how(app.token))));
  return {
    "GET /": acts.handler ? undefined : () => ({}),
    "GET /login": acts.login && (async () => new URL(await acts.login(), baseURL)),
    "GET /callback": acts.callback && (async (url) => ((app.token = await acts.callback(url)), home)),
    "GET /me": acts.me && (async () => ({ ...(await acts.me(app.token)), ...tokens(app.token) })),
    "POST /refresh": renew(acts.refresh),
    "POST /expired": renew(acts.expired),
    "POST /together": acts.refresh && (() => together(app, acts.refresh)),
    "POST /disconnect": acts.disconnect && (async () => (await acts.disconnect(app.token), {})),
  };
}

// together refreshes twice at once, with one refresh token.
async function together(app, refresh) {
  const both = await Promise.allSettled([refresh(app.token), refresh(app.token)]);
  for (const one of both) if (one.status === "fulfilled") app.token = one.value;
  return { ...tokens(app.token), errors: both.filter((one) => one.status === "rejected").map((one) => show(one.reason)) };
}

// show is what a developer sees of an error: its text, and that of its cause.
export function show(fault) {
  const cause = fault?.cause ? ` (${fault.cause.name ?? "cause"}: ${fault.cause.message ?? JSON.stringify(fault.cause)})` : "";
  return `${fault?.name ?? "Error"}: ${fault?.message ?? JSON.stringify(fault)}${cause}`;
}

const tokens = (token) => ({ access_token: token?.access_token, refresh_token: token?.refresh_token });

// version is the installed one of the module that is tried.
export function version() {
  return JSON.parse(readFileSync(join(import.meta.dirname ?? ".", "node_modules", process.env.MODULE, "package.json"))).version;
}
