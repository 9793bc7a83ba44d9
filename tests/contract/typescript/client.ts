// Uses the types that openapi-typescript makes from the document: a run, a session, a list. What the
// compiler does not know of an answer, a caller does not know either.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const { CRUCIBLE_URL: baseUrl, CRUCIBLE_TOKEN: token } = process.env;
assert(baseUrl && token);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

function present<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}

// A run is answered in full, for a model or as events, by what was asked for.
function inFull<T extends object>(answer: T | undefined): Extract<T, { execution_id: string }> {
  assert(answer !== undefined && "execution_id" in answer);
  return answer as Extract<T, { execution_id: string }>;
}

const run = await client.POST("/v1/code_interpreter/run", {
  body: { language: "python", code: "print(6 * 7)" },
});
assert.equal(run.error, undefined);
const answer = inFull(run.data);
assert.equal(answer.status, "succeeded");
assert("stdout" in answer);
assert.equal(answer.stdout, "42\n");
const id: string = answer.execution_id;

const session = await client.POST("/v1/code_interpreter/sessions", {
  body: { language: "python", ttl: 60, metadata: { purpose: "contract" } },
});
assert.equal(session.error, undefined);
const session_id = present(session.data).session_id;
assert.equal(session.data?.metadata?.["purpose"], "contract");
for (const [code, stdout] of [["x = 41", ""], ["print(x + 1)", "42\n"]] as const) {
  const step = await client.POST("/v1/code_interpreter/run", {
    body: { language: "python", code, session_id },
  });
  const answer = inFull(step.data);
  assert("stdout" in answer);
  assert.equal(answer.stdout, stdout);
}
const ended = await client.DELETE("/v1/code_interpreter/sessions/{id}", {
  params: { path: { id: session_id } },
});
assert.equal(ended.data?.success, true);

const page = await client.GET("/v1/code_interpreter/executions", {
  params: { query: { limit: 3 } },
});
assert.equal(page.data?.data.length, 3);
assert(present(page.data).data.every((execution) => execution.execution_id !== ""));
const one = await client.GET("/v1/code_interpreter/executions/{id}", { params: { path: { id } } });
assert.equal(one.data?.execution_id, id);

// A program that fails is an answer; a request that is wrong is a problem with a code.
const failed = await client.POST("/v1/code_interpreter/run", {
  body: { language: "python", code: "1 / 0" },
});
const told = inFull(failed.data);
assert("diagnostic" in told);
assert.equal(told.diagnostic?.name, "ZeroDivisionError");
const unknown = await client.GET("/v1/code_interpreter/executions/{id}", {
  params: { path: { id: "exe_0" } },
});
assert.equal(unknown.response.status, 404);
assert.equal(unknown.error?.code, "execution_not_found");
console.log("a run, a session, a list, a failed program and a problem, by generated types");
