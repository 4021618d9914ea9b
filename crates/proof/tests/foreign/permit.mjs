// jose verifies a permit and a revocation list by the published key set, and signs one itself.

import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.ASSENT_TEST_NODE_MODULES, "..", "index.js"));
const jose = await import(pathToFileURL(require.resolve("jose")));
const read = (name) => readFileSync(join(process.argv[2], name), "utf8");

const set = JSON.parse(read("jwks.json"));
for (const key of set.keys) {
  if ((await jose.calculateJwkThumbprint(key)) !== key.kid) throw new Error("a kid is not its thumbprint");
}
const keys = jose.createLocalJWKSet(set);
const permit = { typ: "assent-permit+jwt", algorithms: ["EdDSA"], audience: "acme/payments/production" };
const { payload, protectedHeader } = await jose.jwtVerify(read("permit.jwt"), keys, permit);
if (JSON.stringify(Object.entries(payload).sort()) !== JSON.stringify(Object.entries(JSON.parse(read("claims.json"))).sort())) {
  throw new Error("the claims differ");
}
const list = await jose.jwtVerify(read("list.jwt"), keys, { typ: "assent-revocations+jwt", algorithms: ["EdDSA"] });
if (list.payload.epoch !== 7) throw new Error("the list differs");

let accepted = true;
await jose.jwtVerify(read("changed.jwt"), keys, permit).catch(() => { accepted = false; });
if (accepted) throw new Error("jose accepted a changed permit");

const key = await jose.importJWK(JSON.parse(read("private.json")), "EdDSA");
const header = { alg: "EdDSA", typ: protectedHeader.typ, kid: protectedHeader.kid };
const theirs = await new jose.SignJWT(payload).setProtectedHeader(header).sign(key);
writeFileSync(join(process.argv[2], "theirs.jwt"), theirs);
console.log("good");
