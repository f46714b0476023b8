// Two sellers approach one client, and the second is told why not.
//
//   node approach.mjs [HOST:PORT]      a service in development mode, by default localhost:7443
//
// The protos are those of this checkout; those of Google that they import are in
// third_party/googleapis after `make protos`, or wherever GOOGLEAPIS says.

import { randomUUID } from "node:crypto";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const INCLUDED = [
  path.join(ROOT, "protos"),
  process.env.GOOGLEAPIS ?? path.join(ROOT, "third_party", "googleapis"),
];
const SECONDS = 10;

// Every service is a file; a call is a promise that shows who calls.
function serviceOf(file, name, target) {
  const loaded = loader.loadSync(`clientela/v1/${file}.proto`, {
    includeDirs: INCLUDED,
    keepCase: true,
    longs: String,
    enums: String,
  });
  const Service = grpc.loadPackageDefinition(loaded).clientela.v1[name];
  const client = new Service(target, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  metadata.set("x-clientela-actor", "service/node");
  return (method, request) =>
    promisify(client[method].bind(client))(
      // The id names this attempt: a repeat with it gets the same answer.
      { request_id: randomUUID(), ...request },
      metadata,
      { deadline: Date.now() + SECONDS * 1000 },
    );
}

// What a refusal says beside its code: google.rpc.Status with one google.rpc.ErrorInfo.
async function refusal(error) {
  const root = new protobuf.Root();
  const found = root.resolvePath;
  root.resolvePath = (origin, target) =>
    target.startsWith("google/rpc/") ? path.join(INCLUDED[1], target) : found(origin, target);
  await root.load(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
  const [raw] = error.metadata.get("grpc-status-details-bin");
  const status = root.lookupType("google.rpc.Status").decode(raw);
  const packed = status.details.find((each) => each.type_url.endsWith("/google.rpc.ErrorInfo"));
  return root.lookupType("google.rpc.ErrorInfo").decode(packed.value);
}

const target = process.argv[2] ?? "localhost:7443";
const organisation = serviceOf("organisation", "OrganisationService", target);
const clients = serviceOf("client", "ClientService", target);
const ownership = serviceOf("ownership", "OwnershipService", target);

const unit = { unit_id: "north", kind: "UNIT_KIND_BRANCH", label: "north" };
await organisation("RegisterUnit", unit);
for (const employee_id of ["marta", "ivo"]) {
  const employee = { employee_id, unit_id: "north", name: employee_id, roles: ["salesperson"] };
  await organisation("RegisterEmployee", employee);
}
await clients("RegisterClient", { client_id: "petra" });
console.log("petra is registered");

for (const employee_id of ["marta", "ivo"]) {
  try {
    await ownership("Approach", { client_id: "petra", employee_id, channel: "phone" });
    console.log(`${employee_id} looks after petra`);
  } catch (error) {
    const { reason, metadata } = await refusal(error);
    const may = metadata.may_request === "true" ? "may" : "may not";
    console.log(`${employee_id} is refused: ${reason} by ${metadata.rule}, ${may} ask for her`);
  }
}
// Connections that are kept for further calls would keep the process, too.
process.exit(0);
