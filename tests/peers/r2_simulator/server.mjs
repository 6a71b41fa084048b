// Cloudflare's own R2 simulator with its S3 endpoint, on the loopback only; asks nothing of the outside (cf: false).
// node server.mjs PORT ACCESS_KEY_ID SECRET BUCKET [KEY_PEM CERTIFICATE_PEM]
import fs from "node:fs";
import { Miniflare } from "miniflare";

const [port, accessKeyId, secretAccessKey, bucket, key, certificate] = process.argv.slice(2);
const tls = key ? { httpsKey: fs.readFileSync(key, "utf8"), httpsCert: fs.readFileSync(certificate, "utf8") } : {};
const simulator = new Miniflare({
  modules: true,
  script: 'export default { fetch() { return new Response("up") } }',
  compatibilityDate: "2026-06-01",
  host: "127.0.0.1",
  port: Number(port),
  cf: false,
  telemetry: { enabled: false },
  r2Persist: false,
  r2Buckets: { BUCKET: { id: bucket, s3Credentials: { accessKeyId, secretAccessKey } } },
  ...tls,
});
await simulator.ready;
console.log("ready");
for (const signal of ["SIGTERM", "SIGINT"])
  process.on(signal, async () => {
    await simulator.dispose();
    process.exit(0);
  });
