// Shows the page as it is being written: bundles it at every request, and passes everything else on to a running "ferry-online serve".
//
//     scripts/webui [PORT [SERVER]]     http://localhost:4890 before http://127.0.0.1:4880 unless told otherwise

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, existsSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const port = Number(process.argv[2] ?? 4890);
const server = new URL(process.argv[3] ?? "http://127.0.0.1:4880");
const script = join(dirname(fileURLToPath(import.meta.url)), "../build.sh");
const folder = mkdtempSync(join(tmpdir(), "ferry-page-"));
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml" };

createServer((incoming, outgoing) => {
  const { pathname } = new URL(incoming.url, "http://localhost");
  if (pathname === "/") return outgoing.writeHead(302, { Location: "/ui/" }).end();
  if (pathname.startsWith("/ui/")) {
    const file = join(folder, pathname.slice("/ui/".length));
    const isAsset = pathname.startsWith("/ui/assets/");
    if (!isAsset) {
      const built = spawnSync("sh", [script, `${folder}/`], { encoding: "utf8" });
      if (built.status !== 0) return outgoing.writeHead(500, { "Content-Type": "text/plain" }).end(built.stderr);
    }
    const found = isAsset ? file : join(folder, "index.html");
    if (!existsSync(found)) return outgoing.writeHead(404).end();
    return outgoing.writeHead(200, { "Content-Type": types[extname(found)], "Cache-Control": "no-store" }).end(readFileSync(found));
  }
  const passed = request({ host: server.hostname, port: server.port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.headers);
    answer.pipe(outgoing);
  });
  passed.on("error", () => outgoing.destroy());
  outgoing.on("close", () => passed.destroy());
  incoming.pipe(passed);
}).listen(port, "127.0.0.1", () => console.log(`http://localhost:${port}/ui/ before ${server.href}`));
