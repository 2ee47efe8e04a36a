// Verifies an evidence pack with @sigstore/verify: node verify.mjs PACK PUBLIC_KEY.
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const [pack, keyFile] = process.argv.slice(2);
const refuse = (why) => {
  console.log(`refused: ${why}`);
  process.exit(1);
};

const publicKey = createPublicKey(readFileSync(keyFile));
const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
const keyid = createHash("sha256")
  .update(`{"keytype":"ed25519","keyval":{"public":"${raw}"},"scheme":"ed25519"}`)
  .digest("hex");

// One key that is known beforehand: no certificate authority, no transparency log, no time-stamps.
const nobody = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trust = toTrustMaterial(nobody, (hint) => {
  if (hint !== keyid) throw new Error(`no key ${hint}`);
  return { publicKey, validFor: () => true };
});
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });

function opened(name, predicateType) {
  const envelope = JSON.parse(readFileSync(join(pack, "attestations", name), "utf8"));
  try {
    const bundle = bundleFromJSON({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: envelope.signatures[0].keyid }, tlogEntries: [] },
      dsseEnvelope: envelope,
    });
    verifier.verify(toSignedEntity(bundle));
  } catch (error) {
    refuse(`${name}: ${error.message}`);
  }
  if (envelope.payloadType !== "application/vnd.in-toto+json") refuse(`${name}: another payload type`);
  const statement = JSON.parse(Buffer.from(envelope.payload, "base64").toString("utf8"));
  if (statement._type !== "https://in-toto.io/Statement/v1") refuse(`${name}: another statement`);
  if (statement.predicateType !== predicateType) refuse(`${name}: another predicate type`);
  return statement;
}

const files = {};
for (const entry of readdirSync(pack, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.parentPath.endsWith("attestations")) continue;
  const path = join(entry.parentPath, entry.name);
  files[relative(pack, path)] = createHash("sha256").update(readFileSync(path)).digest("hex");
}

const tests = opened("gate.test-result.json", "https://in-toto.io/attestation/test-result/v0.1");
const vsa = opened("gate.vsa.json", "https://slsa.dev/verification_summary/v1");
for (const { subject, predicateType } of [tests, vsa]) {
  const attested = Object.fromEntries(subject.map((it) => [it.name, it.digest.sha256]));
  const names = new Set([...Object.keys(files), ...Object.keys(attested)]);
  for (const name of names) {
    if (files[name] !== attested[name]) refuse(`${name} is not as ${predicateType} says`);
  }
}
if (tests.predicate.passedTests.length === 0) refuse("an empty gate: no test passed");
const { verdict } = JSON.parse(readFileSync(join(pack, "summary.json"), "utf8"));
const expected = verdict === "NO-GO" ? "FAILED" : "PASSED";
if (vsa.predicate.verificationResult !== expected) refuse("the attested result is not that of the summary");
console.log(`accepted: ${verdict}`);
