// What the small apps in a browser share: a server of their page, of its script and of
// the library's own build for browsers.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const files = { "/app.mjs": "app.mjs", "/library.js": join("node_modules", process.env.MODULE, process.env.BUILD) };
const page = `<!doctype html><html><body><p id="said"></p><button id="loop">Loop</button>
<script src="/library.js"></script><script type="module" src="/app.mjs"></script></body></html>`;

const server = createServer(async (request, response) => {
  const file = files[new URL(request.url, "http://localhost").pathname];
  if (!file) return response.writeHead(200, { "content-type": "text/html" }).end(page);
  response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(file));
});
server.listen(Number(process.env.PORT), "127.0.0.1", async () => {
  const { version } = JSON.parse(await readFile(join("node_modules", process.env.MODULE, "package.json")));
  console.log("ready", version);
});
