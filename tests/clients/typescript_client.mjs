// The official TypeScript clients: `node typescript_client.mjs sdk|client` runs a plan of calls (JSON on stdin) and prints
// what came back (JSON). `sdk` is the old line, `client` the new one.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const plan = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(process.env.TRIBUTARY_NODE_PACKAGES + "/index.js");
const load = (name) => import(pathToFileURL(require.resolve(name)));
const packages = {
  sdk: async () => ({
    ...(await load("@modelcontextprotocol/sdk/client/index.js")),
    ...(await load("@modelcontextprotocol/sdk/client/streamableHttp.js")),
  }),
  client: () => load("@modelcontextprotocol/client"),
};
const { Client, StreamableHTTPClientTransport } = await packages[process.argv[2]]();
const client = new Client({ name: "tributary-test", version: "1.0.0" });
const headers = { Authorization: `Bearer ${plan.key}` };
await client.connect(new StreamableHTTPClientTransport(new URL(plan.url), { requestInit: { headers } }));

const out = { server: client.getServerVersion().name, calls: [], resources: {} };
out.tools = (await client.listTools()).tools.map((tool) => tool.name);
for (const [name, args] of plan.calls) {
  const result = await client.callTool({ name, arguments: args });
  out.calls.push(JSON.parse(result.content[0].text));
}
out.listed = (await client.listResources()).resources.map((resource) => resource.uri);
for (const uri of plan.resources) out.resources[uri] = JSON.parse((await client.readResource({ uri })).contents[0].text);
await client.close();
console.log(JSON.stringify(out));
